// Only a connection that failed is worth another try, a mistake of the program or the client is not.
import { createClient } from "@libsql/client/http";
import { drizzle } from "drizzle-orm/libsql";
import { defineEvent, EventStore } from "event-sourcery";
import { libsql } from "event-sourcery/libsql";
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Classified } from "../../drivers/_sql/failure.ts";
import { classify as ofLibsql } from "../../drivers/libsql/handle.ts";
import { classify as ofPostgres } from "../../drivers/postgres/handle.ts";
import { ownPrefix, sqldUrl } from "../support/sqld.ts";

const coded = (code: string, more: object = {}) =>
  Object.assign(new Error("secret"), { code }, more);
const wrapped = (cause: unknown) => new Error("Failed query: secret", { cause });
const fetchFailed = (cause?: unknown) => new TypeError("fetch failed", { cause });

type Expected = readonly [unknown, Classified["failure"], string | undefined];

const postgresErrors: readonly Expected[] = [
  [coded("ECONNREFUSED", { address: "::1", port: 5433 }), "lost", "ECONNREFUSED ::1:5433"],
  [
    coded("ECONNREFUSED", { errors: [coded("x", { address: "::1", port: 5 })] }),
    "lost",
    "ECONNREFUSED ::1:5",
  ],
  [coded("ENOENT", { address: "/tmp/.s.PGSQL.5432" }), "lost", "ENOENT /tmp/.s.PGSQL.5432"],
  ...["ECONNRESET", "EPIPE", "ETIMEDOUT", "EAI_AGAIN", "CONNECT_TIMEOUT", "CONNECTION_CLOSED"].map(
    (code): Expected => [coded(code), "lost", code],
  ),
  [coded("CONNECTION_ENDED"), "lost", undefined],
  [coded("ERR_POSTGRES_CONNECTION_CLOSED"), "lost", "ERR_POSTGRES_CONNECTION_CLOSED"],
  [coded("CERT_HAS_EXPIRED"), "lost", "CERT_HAS_EXPIRED"],
  [coded("57P01"), "lost", "admin_shutdown (57P01)"],
  [coded("08006"), "lost", "connection_failure (08006)"],
  [
    coded("ERR_POSTGRES_SERVER_ERROR", { errno: "42501" }),
    "other",
    "the database refused with insufficient_privilege (42501)",
  ],
  [
    coded("42P20"),
    "other",
    "the database refused with syntax_error_or_access_rule_violation (42P20)",
  ],
  [coded("ZZ001"), "other", "the database refused with ZZ001"],
  [new Error("Connection terminated unexpectedly"), "lost", undefined],
  [new RangeError("secret"), "other", "the client failed with RangeError"],
  [new TypeError("secret"), "other", "the client failed with TypeError"],
  [new SyntaxError("secret"), "other", "the client failed with SyntaxError"],
  [coded("ERR_STRING_TOO_LONG"), "other", "the client failed with ERR_STRING_TOO_LONG"],
  [coded("UNDEFINED_VALUE"), "other", "the client failed with UNDEFINED_VALUE"],
  [coded("MAX_PARAMETERS_EXCEEDED"), "other", "the client failed with MAX_PARAMETERS_EXCEEDED"],
  ["secret", "other", "the client failed with a value that is not an error"],
];

test("classify() of Postgres tells lost connections from mistakes", () => {
  for (const [error, failure, reason] of postgresErrors) {
    for (const given of [error, wrapped(error)]) {
      if (given !== error && !(error instanceof Error)) continue;
      const found = ofPostgres(given, false);
      assert.deepEqual([found.failure, found.reason], [failure, reason], String(error));
    }
  }
  // A proxy, or a client over HTTP.
  assert.equal(ofPostgres(fetchFailed(), true).failure, "lost");
  assert.equal(ofPostgres(fetchFailed(coded("UND_ERR_SOCKET")), true).failure, "lost");
});

const remoteErrors: readonly Expected[] = [
  [
    fetchFailed(coded("ECONNREFUSED", { address: "127.0.0.1", port: 8 })),
    "lost",
    "ECONNREFUSED 127.0.0.1:8",
  ],
  [fetchFailed(coded("UND_ERR_SOCKET")), "lost", "UND_ERR_SOCKET"],
  [fetchFailed(new Error("error sending request")), "lost", undefined],
  [new TypeError("error reading a body from connection"), "lost", undefined],
  [coded("HRANA_WEBSOCKET_ERROR"), "lost", "HRANA_WEBSOCKET_ERROR"],
  [coded("CLIENT_CLOSED"), "lost", undefined],
  [
    coded("SERVER_ERROR", { cause: Object.assign(new Error(), { status: 502 }) }),
    "lost",
    "SERVER_ERROR",
  ],
  [
    coded("SERVER_ERROR", { cause: Object.assign(new Error(), { status: 401 }) }),
    "other",
    "the server refused with HTTP status 401",
  ],
  [coded("HRANA_PROTO_ERROR"), "other", "the client failed with HRANA_PROTO_ERROR"],
  [coded("SQLITE_FULL"), "other", "the database refused with SQLITE_FULL"],
  [new RangeError("secret"), "other", "the client failed with RangeError"],
  [new SyntaxError("secret"), "other", "the client failed with SyntaxError"],
];

test("classify() of libSQL tells lost connections from mistakes", () => {
  for (const [error, failure, reason] of remoteErrors) {
    for (const given of [error, wrapped(error)]) {
      const found = ofLibsql(given, false);
      assert.deepEqual([found.failure, found.reason], [failure, reason], String(error));
    }
  }
  // A file has no connection to lose.
  for (
    const error of [new Error("Sqlite3UnsupportedStatement"), new TypeError(), new RangeError()]
  ) {
    assert.equal(ofLibsql(error, true).failure, "other");
  }
  assert.equal(ofLibsql(coded("CLIENT_CLOSED"), true).failure, "lost");
});

test("append() of what the client cannot send is a DriverError, not to be sent again", {
  timeout: 60_000,
}, async () => {
  const Scanned = defineEvent<string>()("Scanned");
  let failing = false;
  // As a client does that makes a text of the request which is longer than a text can be.
  const send = async (request: Request) => {
    if (failing) throw new RangeError("Invalid string length: secret");
    return await fetch(request);
  };
  const client = createClient({ url: await sqldUrl(), fetch: send });
  const driver = libsql(drizzle(client), { prefix: ownPrefix() });
  await driver.migrate();
  const store = new EventStore(driver, { events: [Scanned] });
  await store.append("doc:1", Scanned("a"));
  failing = true;
  for (const events of [Scanned("b"), [Scanned("b"), Scanned("c")]]) {
    await assert.rejects(store.append("doc:1", events), {
      code: "DRIVER",
      retryable: false,
      message: "Cannot append events: the client failed with RangeError; its error is the cause",
    });
  }
  failing = false;
  assert.equal(await store.version("doc:1"), 1);
  client.close();
});

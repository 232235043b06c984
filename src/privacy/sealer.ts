import type { ForgottenSubject, Sealable, Sealer } from "../codec/sealer.ts";
import type { NewEvent } from "../driver/append.ts";
import type { Session } from "../driver/driver.ts";
import type { StoredEvent } from "../driver/read.ts";
import type { NewSnapshot, SnapshotKey, StoredSnapshot } from "../driver/snapshots.ts";
import type { Event } from "../event/event.ts";
import type { SensitivePart } from "../event/sensitive.ts";
import type { EventStore } from "../store/store.ts";
import type { KeyStore } from "./keystore.ts";
import { encode } from "../codec/encode.ts";
import { isSealed, noteKeys } from "../codec/sealer.ts";
import { quote } from "../errors/base.ts";
import { CorruptEventError, KeyUnavailableError } from "../errors/event.ts";
import { internalsOf } from "../store/internals.ts";
import { open, seal } from "./cipher.ts";
import {
  bindingOf,
  bindingOfSnapshot,
  checkBytes,
  type Field,
  fieldsOf,
  masked,
  putBack,
  valuesOf,
} from "./fields.ts";
import { SubjectForgotten } from "./forgotten.ts";
import type { KeyRing, Known } from "./ring.ts";

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** A text that was sealed under one key: the id of the key, its number, base64. */
const part = /^(.+)\.1\.([A-Za-z0-9+/=]+)$/;

/** An event, and what is to be stored of it. */
interface Sealed {
  readonly event: Event;
  readonly encoded: NewEvent;
}

/** Seals and opens the sensitive fields of one driver's events. */
export class SubjectSealer implements Sealer {
  readonly maxAge: number;
  readonly #ring: KeyRing;
  readonly #storeAt: (session: Session<unknown>) => KeyStore;
  readonly #failures: WeakMap<StoredEvent, unknown> = new WeakMap();
  /** The appends that are being sealed, by owner and stream. */
  readonly #running: WeakMap<object, Map<string, Promise<unknown>>> = new WeakMap();

  constructor(
    ring: KeyRing,
    storeAt: (session: Session<unknown>) => KeyStore,
    maxAge: number,
  ) {
    this.#ring = ring;
    this.#storeAt = storeAt;
    this.maxAge = maxAge;
  }

  whenSealed(
    owner: object,
    session: () => Session<unknown>,
    prepared: Sealable,
    catalog: { sensitive(event: Event): readonly SensitivePart[] | undefined },
  ): Promise<Sealable> | undefined {
    const { streams, request: { tenantId, writes } } = prepared;
    const sealing = streams.some((events) => events.some((event) => catalog.sensitive(event)));
    const running = this.#running.get(owner) ?? new Map<string, Promise<unknown>>();
    const keys = writes.map(({ streamId }) => `${tenantId}\0${streamId}`);
    const before = keys.flatMap((key) => running.get(key) ?? []);
    if (!sealing && before.length === 0) return undefined;
    const sealed = (async () => {
      await Promise.allSettled(before);
      return sealing ? await this.#seal(session(), prepared, catalog) : prepared;
    })();
    this.#running.set(owner, running);
    for (const key of keys) running.set(key, sealed);
    const end = () => {
      for (const key of keys) if (running.get(key) === sealed) running.delete(key);
    };
    sealed.then(end, end);
    return sealed;
  }

  async #seal(
    session: Session<unknown>,
    { streams, request }: Sealable,
    catalog: { sensitive(event: Event): readonly SensitivePart[] | undefined },
  ): Promise<Sealable> {
    const { tenantId, writes } = request;
    const fields = streams.map((events) =>
      events.map((event) => fieldsOf(event, catalog.sensitive(event) ?? []))
    );
    const subjects = fields.flat(2).map(({ subject }) => subject);
    const keys = await this.#ring.current(session, tenantId, subjects);
    const sealed = await Promise.all(
      writes.map(({ streamId, events }, index) =>
        Promise.all(events.map(async (encoded, place): Promise<Sealed> => {
          const event = streams[index]![place]!;
          const own = fields[index]![place]!;
          if (own.length === 0) return { event, encoded };
          return await sealOne({ tenantId, streamId, event, encoded }, own, keys);
        }))
      ),
    );
    return {
      streams: sealed.map((events) => events.map(({ event }) => event)),
      request: {
        ...request,
        writes: writes.map((write, index) => ({
          ...write,
          events: sealed[index]!.map(({ encoded }) => encoded),
        })),
      },
    };
  }

  open(
    session: Session<unknown>,
    events: readonly StoredEvent[],
  ): Promise<readonly StoredEvent[]> | undefined {
    for (const { type, data } of events) {
      if (type === SubjectForgotten.type) this.#ring.drop((data as { subject: string }).subject);
    }
    return events.some(isSealed) ? this.#openAll(session, events) : undefined;
  }

  async #openAll(
    session: Session<unknown>,
    events: readonly StoredEvent[],
  ): Promise<readonly StoredEvent[]> {
    const keys = await this.#ring.find(session, idsOf(events));
    return await Promise.all(
      events.map(async (event) => isSealed(event) ? await this.#openOne(event, keys) : event),
    );
  }

  failure(event: StoredEvent): unknown {
    return this.#failures.get(event);
  }

  async fetch(session: Session<unknown>, events: readonly StoredEvent[]): Promise<void> {
    await this.#ring.find(session, idsOf(events)).catch(() => {});
  }

  async sealSnapshot(
    session: Session<unknown>,
    snapshot: NewSnapshot,
    ids: readonly string[],
  ): Promise<NewSnapshot | undefined> {
    const keys = await this.#allOf(session, ids);
    if (keys === undefined) return undefined;
    const text = JSON.stringify([snapshot.data, snapshot.codec]);
    const bytes = await seal(keys, encoder.encode(text), bindingOfSnapshot(snapshot));
    const sealed = [...ids.map(encodeURIComponent), bytes].join(" ");
    return { ...snapshot, data: "null", codec: JSON.stringify({ sealed }) };
  }

  async openSnapshot(
    session: Session<unknown>,
    key: SnapshotKey,
    snapshot: StoredSnapshot,
  ): Promise<(StoredSnapshot & { readonly keys: readonly string[] }) | undefined> {
    const parts = snapshot.codec!["sealed"]!.split(" ");
    const ids = parts.slice(0, -1).map(decodeURIComponent);
    const keys = await this.#allOf(session, ids);
    if (keys === undefined) return undefined;
    const binding = bindingOfSnapshot({ ...key, version: snapshot.version });
    const text = decoder.decode(await open(keys, parts.at(-1)!, binding));
    const [data, codec] = JSON.parse(text) as readonly [string, string | null];
    return { ...snapshot, data: JSON.parse(data), codec: codec && JSON.parse(codec), keys: ids };
  }

  async forget(store: object, subject: string): Promise<ForgottenSubject> {
    checkBytes(subject);
    const outer = store as EventStore;
    const { transactions } = internalsOf(outer)!.shared.driver.capabilities;
    return transactions
      ? await outer.transaction(({ store: inner }) => this.#forgetIn(inner, subject))
      : await this.#forgetIn(outer, subject);
  }

  async forgotten(store: object, subject: string): Promise<Date | undefined> {
    const { tenantId = "", session } = internalsOf(store)!;
    return await this.#storeAt(session()).forgotten(tenantId, subject);
  }

  async #forgetIn(store: EventStore, subject: string): Promise<ForgottenSubject> {
    const { tenantId = "", transaction, session, shared } = internalsOf(store)!;
    const end = this.#ring.forget(subject);
    const finish = async () => {
      end();
      for (const forgetter of shared.forgetters) forgetter(tenantId);
    };
    transaction?.onCommit(finish);
    transaction?.onRollback(end);
    try {
      const { at, keys } = await this.#storeAt(session()).forget(tenantId, subject);
      if (shared.catalog.holds(SubjectForgotten)) {
        // The same id, however often: the event is stored once.
        const notice = SubjectForgotten({ subject }, { id: `forgotten:${subject}` });
        await store.append(`$subject:${subject}`, notice as never);
      }
      return { subject, at, keys };
    } finally {
      if (transaction === undefined) await finish();
    }
  }

  async #openOne(
    event: StoredEvent,
    keys: ReadonlyMap<string, Known>,
  ): Promise<StoredEvent> {
    const { streamId, version, tenantId } = event;
    const { sealed = "", ...codec }: Record<string, string> = event.codec ?? {};
    const data: unknown = structuredClone(event.data); // it may be opened again
    const opened: string[] = [];
    try {
      for (const text of sealed.split(" ")) {
        const [, name = "", bytes = ""] = part.exec(text) ?? [];
        const id = decodeURIComponent(name);
        const known = keys.get(id);
        if (known === undefined) throw unknownKey(event);
        if (known.key === undefined) continue;
        const plain = await open([known.key], bytes, bindingOf(tenantId, streamId, event));
        putBack(data, codec, decoder.decode(plain));
        opened.push(id);
      }
      const result = { ...event, data, codec: Object.keys(codec).length === 0 ? null : codec };
      noteKeys(result, opened);
      return result;
    } catch (cause) {
      const reason = "its sealed fields do not open";
      this.#failures.set(
        event,
        cause instanceof KeyUnavailableError
          ? cause
          : new CorruptEventError(streamId, version, reason, { cause }),
      );
      return event;
    }
  }

  /** Returns the keys with some ids, in their order; undefined if one is forgotten or unknown. */
  async #allOf(
    session: Session<unknown>,
    ids: readonly string[],
  ): Promise<readonly CryptoKey[] | undefined> {
    const known = await this.#ring.find(session, ids);
    const keys = ids.flatMap((id) => known.get(id)?.key ?? []);
    return keys.length === ids.length ? keys : undefined;
  }
}

async function sealOne(
  { tenantId, streamId, event, encoded }: Sealed & {
    readonly tenantId: string;
    readonly streamId: string;
  },
  fields: readonly Field[],
  keys: ReadonlyMap<string, Known>,
): Promise<Sealed> {
  const gone = fields.filter(({ subject }) => keys.get(subject)!.key === undefined);
  // What is read back of a forgotten subject is what is stored: its masks.
  const shown: Event = gone.length === 0 ? event : { ...event, data: masked(event, gone) };
  const values = valuesOf(event.data);
  const subjects = [...new Set(fields.map(({ subject }) => subject))];
  const known = subjects.map((subject) => keys.get(subject)!).filter(({ key }) => key);
  const sealed = await Promise.all(known.map(async ({ id, subject, key }) => {
    const text = values(fields.filter((field) => field.subject === subject));
    const bound = bindingOf(tenantId, streamId, encoded);
    return `${encodeURIComponent(id)}.1.${await seal([key!], encoder.encode(text), bound)}`;
  }));
  const { data, codec } = encode(masked(event, fields), {});
  const { codec: metadataNotes } = encode(undefined, event.metadata);
  const notes = {
    ...JSON.parse(codec ?? "{}"),
    ...JSON.parse(metadataNotes ?? "{}"),
    ...(sealed.length > 0 && { sealed: sealed.join(" ") }),
  };
  noteKeys(shown, known.map(({ id }) => id));
  const text = Object.keys(notes).length === 0 ? null : JSON.stringify(notes);
  return { event: shown, encoded: { ...encoded, data, codec: text } };
}

function idsOf(events: readonly StoredEvent[]): readonly string[] {
  return events.flatMap(({ codec }) => (codec?.["sealed"] ?? "").split(" "))
    .flatMap((text) => part.exec(text)?.[1] ?? [])
    .map(decodeURIComponent);
}

function unknownKey({ streamId, version }: StoredEvent): KeyUnavailableError {
  const action = `read event ${version} of stream ${quote(streamId)}`;
  return new KeyUnavailableError(action, "its keys do not know the one that it is sealed with");
}

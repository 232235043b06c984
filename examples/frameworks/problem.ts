import { isEventSourceryError } from "event-sourcery";
import { OrderError } from "./order.ts";

/** A request that lacks something, or contradicts itself. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  readonly status: 400 | 404 | 422 | 428;

  constructor(status: RequestError["status"], message: string) {
    super(message);
    this.status = status;
  }
}

export function problem(error: unknown, conditional: boolean = false): Response {
  if (error instanceof OrderError) return answer(409, error.message); // your own refusals
  if (error instanceof RequestError) return answer(error.status, error.message);
  if (error instanceof SyntaxError) return answer(400, "The body is not JSON");
  if (!isEventSourceryError(error)) return unexpected(error);
  switch (error.code) {
    case "CONCURRENCY": // 412 where the client named a version, 409 where it did not
      return answer(conditional ? 412 : 409, "The order has changed in the meantime");
    case "DUPLICATE_EVENT":
      return answer(422, "The Idempotency-Key belongs to another request");
    case "INVALID_EVENT":
      return answer(422, "Some fields are invalid", { issues: error.issues });
    case "BUSY":
    case "CONNECTION":
    case "UNKNOWN_OUTCOME": // may be stored: only a request with an Idempotency-Key is safe to repeat
      return answer(503, "Try again in a moment", {}, { "retry-after": "1" });
    default:
      return unexpected(error); // a missing schema, for example
  }
}

function unexpected(error: unknown): Response {
  console.error(error);
  return answer(500, "Internal error");
}

function answer(status: number, title: string, more: object = {}, headers: object = {}): Response {
  const type = { "content-type": "application/problem+json" };
  return Response.json({ status, title, ...more }, { status, headers: { ...type, ...headers } });
}

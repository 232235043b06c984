import { lay } from "./cable.ts";

/** A statement as a client sent it to Postgres. */
export interface Sent {
  /** The name that it is prepared under; empty where it is not. */
  readonly name: string;
  readonly text: string;
  /** Whether its text was sent with it, to be parsed. */
  readonly parsed: boolean;
}

/** A connection to Postgres that is listened in on. */
export interface Wiretap {
  /** The server's URL, by way of the tap. */
  readonly url: string;
  /** All that was executed, in order. Clients that wait for their answers have one order over all connections. */
  readonly sent: readonly Sent[];
  close(): Promise<void>;
}

/** Listens in on a server. What is on the wire is what was sent, whatever a client says of itself. */
export async function tap(to: string): Promise<Wiretap> {
  const sent: Sent[] = [];
  const { url, close } = await lay(to, () => listener(sent));
  return { url, sent, close };
}

/** Reads one connection's messages: https://www.postgresql.org/docs/current/protocol-message-formats.html */
function listener(sent: Sent[]): (chunk: Uint8Array) => void {
  const texts = new Map<string, string>();
  const parsed = new Set<string>();
  let rest = Buffer.alloc(0);
  let typed = 0; // the first message has no type
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= typed + 4) {
      const end = typed + rest.readUInt32BE(typed);
      if (rest.length < end) return;
      const type = typed === 0 ? "" : String.fromCharCode(rest[0]!);
      const [first, second] = rest.toString("utf8", typed + 4, end).split("\0");
      rest = rest.subarray(end);
      typed = 1;
      if (type === "P") {
        texts.set(first!, second!);
        parsed.add(first!);
      } else if (type === "B") { // portal and statement
        sent.push({ name: second!, text: texts.get(second!)!, parsed: parsed.delete(second!) });
      } else if (type === "Q") sent.push({ name: "", text: first!, parsed: true });
    }
  };
}

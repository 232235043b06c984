import type { View } from "./view/view.ts";

/** What became of an action, in words that no address can change. */
export function noticeOf({ param, number, format }: View): string | undefined {
  const count = number("count") ?? 0;
  switch (param("notice")) {
    case "redriven":
      return count === 1
        ? "One stream is tried again"
        : count === 0
        ? "Nothing was parked any more"
        : `${format(count)} streams are tried again`;
    case "discarded":
      return "The event is given up, and the stream goes on";
    case "gone":
      return "Nothing was parked any more";
    case "mistyped":
      return "Nothing was given up: type the id of the stream, exactly";
    case "forgotten":
      return "The consumer is forgotten";
    default:
      return undefined;
  }
}

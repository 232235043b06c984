/** A scale of periods with names such as `2026`, `2026-Q3`, `2026-07`, `2026-07-13`. */
export interface Scale {
  /** The word for a period. */
  readonly unit: "day" | "week" | "month" | "quarter" | "year";
  /** Returns the name of the period that contains a day. */
  readonly of: (day: string) => string;
}

const scales: readonly Scale[] = [
  { unit: "day", of: (day) => day },
  { unit: "week", of: monday },
  { unit: "month", of: (day) => day.slice(0, 7) },
  { unit: "quarter", of: (day) => `${day.slice(0, 4)}-Q${Math.ceil(Number(day.slice(5, 7)) / 3)}` },
  { unit: "year", of: (day) => day.slice(0, 4) },
];

/** More lines than this do not fit on a screen. */
const lines = 32;

/** Chooses the finest scale that shows all days on one screen, and lists its periods without gaps. */
export function scaleOf(
  first: string,
  last: string,
): { readonly scale: Scale; readonly stretches: readonly string[] } {
  const days = [...between(first, last)];
  for (const scale of scales) {
    const stretches = [...new Set(days.map(scale.of))];
    if (stretches.length <= lines || scale.unit === "year") return { scale, stretches };
  }
  throw new RangeError("There is no scale");
}

function* between(first: string, last: string): Generator<string> {
  const date = new Date(`${first}T00:00:00Z`);
  for (let day = first; day <= last; day = date.toISOString().slice(0, 10)) {
    yield day;
    date.setUTCDate(date.getUTCDate() + 1);
  }
}

function monday(day: string): string {
  const date = new Date(`${day}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() - (date.getUTCDay() + 6) % 7);
  return date.toISOString().slice(0, 10);
}

/** What `markup` takes: text and numbers are escaped, `Html` is not, lists are joined, and the rest is left out. */
export type Content = Html | string | number | undefined | null | false | readonly Content[];

let make: (text: string) => Html;

/** Escaped HTML. Only `markup` makes it, so that nothing reaches a page unescaped. */
export class Html {
  readonly #text: string;

  static {
    make = (text) => new Html(text);
  }

  private constructor(text: string) {
    this.#text = text;
  }

  /** Returns the markup. */
  toString(): string {
    return this.#text;
  }
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/**
 * Makes HTML of a template: what is put in is escaped, for text and for attributes in quotes. Not named `html`, since a
 * formatter would then lay out the templates, each by itself, with spaces that are seen.
 */
export function markup(parts: TemplateStringsArray, ...values: readonly Content[]): Html {
  let text = parts[0]!;
  for (const [index, value] of values.entries()) text += textOf(value) + parts[index + 1]!;
  return make(text);
}

function textOf(value: Content): string {
  if (value === undefined || value === null || value === false) return "";
  if (value instanceof Html) return value.toString();
  if (typeof value === "object") return value.map(textOf).join("");
  return String(value).replace(/[&<>"']/g, (character) => entities[character]!);
}

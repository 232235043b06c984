/** Writes a value as an expression of TypeScript. */
export function literal(value: unknown, indent: string = ""): string {
  if (value instanceof Date) return `new Date(${JSON.stringify(value)})`;
  if (typeof value === "bigint") return `${value}n`;
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    return value.length === 0 ? "[]" : `[${value.map((item) => literal(item, inner)).join(", ")}]`;
  }
  if (value instanceof Map) return `new Map(${literal([...value], indent)})`;
  if (value instanceof Set) return `new Set(${literal([...value], indent)})`;
  if (value instanceof Uint8Array) return `new Uint8Array([${[...value].join(", ")}])`;
  if (typeof value === "object" && value !== null) {
    const fields = Object.entries(value).map(([key, item]) =>
      `${/^[A-Za-z_$][\w$]*$/.test(key) ? key : JSON.stringify(key)}: ${literal(item, inner)}`
    );
    const short = `{ ${fields.join(", ")} }`;
    if (fields.length === 0) return "{}";
    if (short.length + indent.length <= 80) return short;
    return `{\n${fields.map((field) => `${inner}${field},\n`).join("")}${indent}}`;
  }
  if (typeof value === "number" && Object.is(value, -0)) return "-0";
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

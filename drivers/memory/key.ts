import type { StreamKey } from "../../mod.ts";

/** Returns a map key: unique, since no name contains NUL; without a tenant, the name itself, which saves joining. */
export function keyOf(tenantId: string, name: string): string {
  return tenantId === "" ? name : `${tenantId}\0${name}`;
}

/** Compares by code points, the order of the UTF-8 bytes; `<` compares UTF-16 units, which sorts surrogates too low. */
export function compareBytes(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const left = a.charCodeAt(index);
    const right = b.charCodeAt(index);
    if (left !== right) return rank(left) - rank(right);
  }
  return a.length - b.length;
}

/** Compares streams by tenant and id. */
export function compareStreams(a: StreamKey, b: StreamKey): number {
  return compareBytes(a.tenantId, b.tenantId) || compareBytes(a.streamId, b.streamId);
}

function rank(unit: number): number {
  return unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit;
}

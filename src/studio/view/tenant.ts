import { type Html, markup } from "../frame/html.ts";
import { fields } from "./consumer.ts";
import type { View } from "./view.ts";

/** Has a form lead to the tenant of its page, as links do. */
export function tenantField({ tenant, tenants }: View): Html | false {
  return tenants.length > 0 && fields({ tenant });
}

/** Chooses the tenant whose events are shown, where there are tenants to choose from. */
export function tenantPicker({ tenant, tenants, to }: View, page: string): Html | false {
  if (tenants.length === 0) return false;
  const others = tenant === undefined || tenants.includes(tenant) ? [] : [tenant];
  const option = (value: string | undefined, text: string) =>
    markup`<option value="${value ?? ""}"${value === tenant && markup` selected`}>${text}</option>`;
  return markup`<form class="tenants" action="${
    to(page, { tenant: undefined })
  }"><label class="hidden" for="tenant">Tenant</label><select id="tenant" name="tenant">${
    option(undefined, "All tenants")
  }${
    [...tenants, ...others].map((name) => option(name, name))
  }</select><button>Show</button></form>`;
}

import type { ConsumerHealth, InspectedConsumer } from "../../inspect/consumers.ts";
import { duration } from "./format.ts";
import { type Html, markup } from "../frame/html.ts";
import type { View } from "./view.ts";

const disc =
  markup`<svg viewBox="0 0 12 12" aria-hidden="true"><circle cx="6" cy="6" r="4.5" fill="currentColor"/></svg>`;
const ring =
  markup`<svg viewBox="0 0 12 12" aria-hidden="true"><circle cx="6" cy="6" r="4" fill="none" stroke="currentColor" stroke-width="2.2"/></svg>`;
const triangle =
  markup`<svg viewBox="0 0 12 12" aria-hidden="true"><path d="M6 .8 11.6 11H.4Z" fill="currentColor"/></svg>`;
const diamond =
  markup`<svg viewBox="0 0 12 12" aria-hidden="true"><path d="M6 .5 11.5 6 6 11.5.5 6Z" fill="currentColor"/></svg>`;
const square =
  markup`<svg viewBox="0 0 12 12" aria-hidden="true"><path d="M1.5 1.5h9v9h-9Z" fill="none" stroke="currentColor" stroke-width="2.2"/></svg>`;

/** The colour and the shape of each word, and what it means. */
const looks: Readonly<
  Record<ConsumerHealth, readonly [colour: string, shape: Html, meaning: string]>
> = {
  "misconfigured": ["bad", triangle, "An error ended its run: deploy or rebuild"],
  "failing": ["bad", triangle, "Nothing succeeds: look at the other side; it goes on by itself"],
  "needs you": ["bad", diamond, "Streams are parked that are not tried again"],
  "nobody runs it": ["warn", square, "Events wait, and no process shows a sign of life"],
  "behind": ["warn", ring, "Events wait for longer than they should, though it runs"],
  "catching up": ["soft", ring, "Events wait"],
  "up to date": ["good", disc, "No event waits"],
};

/** Shows how a consumer is: a word, a colour and a shape. */
export function health({ health }: Pick<InspectedConsumer, "health">): Html {
  const [colour, shape, meaning] = looks[health];
  return markup`<span class="health ${colour}" title="${meaning}">${shape}${health}</span>`;
}

/** Says what a word of health means. */
export function meaningOf({ health }: Pick<InspectedConsumer, "health">): string {
  return looks[health][2];
}

/** Links to a consumer. */
export function consumerLink(
  view: View,
  { name, version, tenantId }: Pick<InspectedConsumer, "name" | "version" | "tenantId">,
): Html {
  const href = view.to("/consumer", {
    name,
    version: version === 1 ? undefined : version,
    of: tenantId,
  });
  return markup`<a href="${href}"><bdi>${name}</bdi></a>${
    version !== 1 && markup` <span class="soft">version ${version}</span>`
  }${
    tenantId !== undefined && tenantId !== "" &&
    markup` <span class="soft">of <bdi>${tenantId}</bdi></span>`
  }`;
}

/** Lists consumers, each a row. */
export function consumerTable(view: View, consumers: readonly InspectedConsumer[]): Html {
  return markup`<div class="scroll"><table><thead><tr><th scope="col">Consumer</th><th scope="col">Health</th><th scope="col" class="right wide">Position</th><th scope="col" class="right">Behind</th><th scope="col" class="right wide">Oldest waits</th><th scope="col" class="right wide">Retrying</th><th scope="col" class="right">Parked</th><th scope="col" class="wide">Lanes</th></tr></thead><tbody>${
    consumers.map((consumer) => {
      const { position, lag, age, retrying, parked, lanes } = consumer;
      const busy = lanes.filter(({ owner }) => owner !== undefined).length;
      return markup`<tr><th scope="row">${consumerLink(view, consumer)}${
        consumer.known === false && markup` <span class="tag">unknown to this app</span>`
      }</th><td>${health(consumer)}</td><td class="right wide">${
        view.format(position)
      }</td><td class="right">${
        lag === 0 || consumer.health === "up to date"
          ? markup`<span class="soft"${
            lag > 0 && markup` title="${view.format(lag)} positions, of no event it wants"`
          }>–</span>`
          : view.format(lag)
      }</td><td class="right wide">${age === 0 ? "–" : duration(age)}</td><td class="right wide">${
        retrying === 0 ? "–" : view.format(retrying)
      }</td><td class="right">${
        parked === 0
          ? "–"
          : markup`<a class="bad" href="${view.to("/parked", { consumer: consumer.name })}">${
            view.format(parked)
          }</a>`
      }</td><td class="wide soft">${
        busy === 0 ? "idle" : `${busy} of ${lanes.length} busy`
      }</td></tr>`;
    })
  }</tbody></table></div>`;
}

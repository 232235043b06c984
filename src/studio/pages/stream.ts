import { categoryOf } from "../../event/stream.ts";
import type { InspectedDelivery } from "../../inspect/consumers.ts";
import type { InspectedEvent } from "../../inspect/event.ts";
import type { InspectedParking } from "../../inspect/parked.ts";
import { attempt } from "../view/attempt.ts";
import { consumerOf, fields } from "../view/consumer.ts";
import { deliveryWord } from "../view/delivery.ts";
import {
  createdAt,
  dataOf,
  eventAddress,
  eventBody,
  problemMark,
  typeName,
} from "../view/event.ts";
import { ago } from "../view/format.ts";
import { consumerLink } from "../view/health.ts";
import { type Content, type Html, markup } from "../frame/html.ts";
import { gist } from "../view/json.ts";
import { literal } from "../view/literal.ts";
import { missing } from "../view/missing.ts";
import { parkedOf } from "../view/parked.ts";
import { stateLines } from "../view/state.ts";
import type { Page, View } from "../view/view.ts";

/** A stream: its events, newest first, and its state at any of its versions. */
export async function stream(view: View): Promise<Page> {
  const { inspector, registry, tenant } = view;
  const id = view.param("id") ?? "";
  const before = view.number("before");
  if (id === "") {
    return missing(view, "No stream was named", "A stream's page has its id in the address.");
  }
  const [{ events, searchedTo, complete }, { streams: [found] }] = await Promise.all([
    inspector.log({ streamId: id, limit: 50, before }),
    inspector.streams({ prefix: id, limit: 1 }),
  ]);
  const info = found?.streamId === id ? found : undefined;
  if (info === undefined) {
    return missing(
      view,
      "There is no such stream",
      "It was deleted, it never had an event, or it belongs to another tenant.",
    );
  }
  const category = categoryOf(id);
  const at = clamp(view.number("at") ?? info.version, info.version);
  const from = view.number("from") ?? at - 1;
  const shown = view.categories.includes(category);
  const chosen = events.find(({ stored }) => stored.version === at);
  const [diff, waits, deliveries] = await Promise.all([
    shown ? inspector.diff(id, clamp(from, info.version), at) : undefined,
    parkedOf(view, id, tenant ?? ""),
    chosen && attempt(registry.deliveries(chosen.stored)),
  ]);
  const to = (query: Readonly<Record<string, string | number | undefined>>) =>
    view.to("/stream", { id, tenant, before, ...query });
  const step = (version: number, name: "older" | "newer", text: string): Content =>
    version >= 0 && version <= info.version
      ? markup`<a class="button" ${
        name === "older" ? markup`data-older` : markup`data-newer`
      } href="${to({ at: version })}" aria-label="${
        name === "older" ? "Previous" : "Next"
      } version">${text}</a>`
      : undefined;
  return {
    title: id,
    tab: "/streams",
    body: markup`<div class="head"><span class="crumb"><a href="${
      view.to("/streams", { tenant })
    }">Streams</a>${
      category !== "" &&
      markup` / <a href="${
        view.to("/streams", { prefix: `${category}:`, tenant })
      }"><bdi>${category}</bdi></a>`
    }</span><h1 class="id"><bdi>${id}</bdi></h1><span class="facts">version ${
      view.format(info.version)
    } · begun ${ago(info.createdAt, view.now)} · changed ${ago(info.updatedAt, view.now)}${
      tenant !== undefined && markup` · tenant <bdi>${tenant}</bdi>`
    }</span></div>${
      waits.map((parking) =>
        markup`<div class="note ${parking.dueAt === undefined ? "fault" : "caution"}"><strong>${
          parking.dueAt === undefined ? "Parked" : "Retrying"
        }</strong> for ${consumerLink(view, consumerOf(parking))} at ${
          failedAt(view, parking, events, to)
        }, after ${parking.attempts} ${parking.attempts === 1 ? "attempt" : "attempts"}. <a href="${
          view.to("/parked", { consumer: parking.consumer })
        }">${
          view.may("redrive") || view.may("discard") ? "Look after it" : "See it among the parked"
        }</a>${
          parking.error !== undefined && markup`<pre class="error">${parking.error}</pre>`
        }</div>`
      )
    }<div class="pair"><section class="panel" aria-labelledby="events"><header><h2 id="events">Events</h2><span class="side">newest first</span></header>${
      events.length === 0
        ? markup`<div class="empty">No events before this.</div>`
        : markup`<ol class="timeline">${
          events.map((event) => entry(view, event, event === chosen && (deliveries ?? []), to))
        }</ol>`
    }<div class="more">${
      before !== undefined && markup`<a href="${view.to("/stream", { id, tenant })}">Newest</a>`
    }${
      complete
        ? markup`<span class="side">The beginning of the stream</span>`
        : markup`<a class="side" rel="next" href="${
          to({ before: searchedTo, at: view.number("at") })
        }">Older</a>`
    }</div></section><aside>${
      shown
        ? markup`<section class="panel" aria-labelledby="state"><header><h2 id="state">${
          from === at - 1
            ? markup`State at version ${view.format(at)}`
            : markup`From version ${view.format(from)} to ${view.format(at)}`
        }</h2><span class="side actions">${step(at - 1, "older", "‹")}${
          step(at + 1, "newer", "›")
        }</span></header>${diff && stateLines(diff)}<form class="more actions form" action="${
          view.to("/stream")
        }">${
          fields({ id, tenant })
        }<label for="from">Compare</label><input id="from" name="from" type="number" min="0" max="${info.version}" value="${
          Math.max(0, from)
        }"><label for="at">with</label><input id="at" name="at" type="number" min="0" max="${info.version}" value="${at}"><button>Compare</button></form></section>`
        : noStates(category)
    }${asTest(view, category, events)}</aside></div>`,
  };
}

function entry(
  view: View,
  inspected: InspectedEvent,
  deliveries: readonly InspectedDelivery[] | false,
  to: (query: { readonly at: number }) => string,
): Html {
  const { stored, problem } = inspected;
  const { version } = stored;
  return markup`<li id="v${version}"><a class="version" href="${
    to({ at: version })
  }#v${version}" title="The state as of this event"${
    deliveries !== false && markup` aria-current="true"`
  }>${version}</a><details${deliveries !== false && markup` open`}><summary data-row>${
    typeName(stored.type)
  }${
    problem
      ? markup`<span class="gist">${problemMark(problem.message)}</span>`
      : gist(dataOf(inspected))
  }${ago(createdAt(inspected), view.now)}</summary><div class="open">${
    eventBody(
      view,
      inspected,
      deliveries !== false && deliveries.length > 0 &&
        deliveries.map((delivery) => deliveryWord(view, delivery)),
    )
  }<p class="small"><a href="${
    eventAddress(view, inspected)
  }">Open the event: causes, effects, consumers</a></p></div></details></li>`;
}

/** Says where a stream waits; by a link where its event is on the page. */
function failedAt(
  view: View,
  { position }: InspectedParking,
  events: readonly InspectedEvent[],
  to: (query: { readonly at: number }) => string,
): Html {
  const failed = events.find(({ stored }) => stored.position === position);
  if (failed === undefined) return markup`position ${view.format(position)}`;
  const { version, type } = failed.stored;
  return markup`<a href="${to({ at: version })}#v${version}"><bdi>${type}</bdi>, version ${
    view.format(version)
  }</a>`;
}

function noStates(category: string): Html {
  return markup`<p class="soft small">To see its states, give the studio <code>aggregates: { ${
    category === "" ? '""' : category
  }: … }</code>: a class, a decider or a function of the events.</p>`;
}

/** The events as the beginning of a test, oldest first. */
function asTest(view: View, category: string, events: readonly InspectedEvent[]): Html | false {
  const known = events.flatMap(({ event }) => event === undefined ? [] : [event]).toReversed();
  if (known.length === 0 || view.shape || !view.categories.includes(category)) return false;
  const name = category.charAt(0).toUpperCase() + category.slice(1);
  const lines = known.map(({ type, data }) =>
    `  ${/^[A-Za-z_$][\w$]*$/.test(type) ? type : `/* ${JSON.stringify(type)} */ Unnamed`}(${
      data === undefined ? "" : literal(data, "  ")
    }),`
  );
  return markup`<details class="panel pad fold"><summary>As a test</summary><pre class="json" tabindex="0" id="as-test">given(${name}, [
${lines.join("\n")}
]).when(…)</pre><p><button type="button" data-copy="as-test" data-script hidden>Copy</button></p></details>`;
}

function clamp(version: number, most: number): number {
  return Math.max(0, Math.min(version, most));
}

import { Projection } from "../../../mod.ts";
import {
  type ConsumerSettings,
  type InspectedConsumer,
  settingsOf,
} from "../../inspect/consumers.ts";
import { ago, duration } from "../view/format.ts";
import { consumerFields, consumerQuery, findConsumer } from "../view/consumer.ts";
import { groupSection } from "../view/group.ts";
import { health, meaningOf } from "../view/health.ts";
import { type Content, type Html, markup } from "../frame/html.ts";
import { missing } from "../view/missing.ts";
import { grouped } from "../view/parked.ts";
import type { Page, View } from "../view/view.ts";

/** One consumer: what it wants, how it is, its lanes, and what can be done. */
export async function consumer(view: View): Promise<Page> {
  const found = await findConsumer(view);
  if (found === undefined) {
    return missing(view, "There is no such consumer", "It has never run, or it was forgotten.");
  }
  const { name, version, filter, position, head, lag, oldest, age, searchedTo, seenAt, error } =
    found;
  const own = view.consumer(found);
  const parked = found.parked + found.retrying === 0
    ? undefined
    : await view.registry.parked({ consumer: { name, version }, limit: 100 });
  const groups = grouped(
    (parked?.streams ?? []).filter((row) => row.consumerTenantId === found.tenantId),
  );
  const rebuild = own && view.rebuild(own);
  const running = rebuild !== undefined && rebuild.endedAt === undefined;
  const fact = (name: string, value: Content) => markup`<dt>${name}</dt><dd>${value}</dd>`;
  const list = (values: readonly string[] | undefined) =>
    values === undefined
      ? "all"
      : values.map((value) => markup`<span class="tag"><bdi>${value}</bdi></span>`);
  return {
    title: name,
    tab: "/consumers",
    refresh: running ? 2 : undefined,
    body: markup`<div class="head"><span class="crumb"><a href="${
      view.to("/consumers")
    }">Consumers</a></span><h1><bdi>${name}</bdi></h1>${health(found)}<span class="facts">${
      version !== 1 && markup`version ${version} · `
    }${meaningOf(found)}</span></div>${
      error &&
      markup`<div class="note fault"><strong>${error.code}</strong><pre class="error">${error.message}</pre></div>`
    }${
      rebuild &&
      markup`<div class="note ${
        rebuild.problem === undefined ? running ? "caution" : "done" : "fault"
      }" role="status"><strong>${
        running
          ? markup`Rebuilding since ${ago(rebuild.startedAt, view.now)}`
          : rebuild.problem === undefined
          ? "Rebuilt"
          : "The rebuild has failed"
      }</strong>${
        rebuild.problem !== undefined && markup`<pre class="error">${rebuild.problem}</pre>`
      }${
        running &&
        markup`<progress max="${
          Math.max(1, head)
        }" value="${position}" aria-label="Rebuilt so far"></progress><span class="soft">${
          view.format(position)
        } of ${view.format(head)}</span>`
      }</div>`
    }<div class="pair"><div><section class="panel" aria-labelledby="lanes"><header><h2 id="lanes">Lanes</h2></header>${
      lanes(view, found)
    }</section><section class="panel" data-script hidden aria-labelledby="since"><header><h2 id="since">Behind, since this page is open</h2><span class="side" id="lag"></span></header><div class="pad"><svg class="chart low" data-lag="${
      view.to("/lag", consumerQuery(found))
    }" viewBox="0 0 600 100" preserveAspectRatio="none" role="img"><line x1="0" x2="600" y1="98" y2="98"/><polyline points=""/></svg></div></section>${
      groups.length > 0 &&
      markup`<section class="panel" aria-labelledby="parked"><header><h2 id="parked">Parked</h2></header>${
        groups.map((group) => groupSection(view, group))
      }</section>`
    }</div><aside><section class="panel" aria-labelledby="facts"><header><h2 id="facts">State</h2></header><div class="pad"><dl class="facts">${[
      fact("Position", markup`${view.format(position)} of ${view.format(head)}`),
      fact(
        "Behind",
        lag === 0
          ? "nothing"
          : found.health === "up to date"
          ? markup`${view.format(lag)} positions, of no event it wants`
          : markup`${view.format(lag)} positions`,
      ),
      fact(
        "Oldest waits",
        oldest === undefined
          ? searchedTo < head ? markup`none found up to ${view.format(searchedTo)}` : "none"
          : markup`${duration(age)}, ${ago(oldest, view.now)}`,
      ),
      fact("Retrying", view.format(found.retrying)),
      fact(
        "Parked",
        found.parked === 0
          ? "0"
          : markup`<a href="${view.to("/parked", { consumer: name })}">${
            view.format(found.parked)
          }</a>`,
      ),
      fact(
        "Last seen",
        seenAt === undefined
          ? "by no run(): runOnce() and drain() leave no sign"
          : ago(seenAt, view.now),
      ),
      fact("Types", list(filter.types)),
      fact("Categories", list(filter.categories)),
      filter.published === true && fact("Only", "published events"),
      found.tenantId !== undefined && fact("Tenant", markup`<bdi>${found.tenantId}</bdi>`),
      ...own === undefined ? [] : settingsFacts(settingsOf(own), fact),
    ]}</dl></div></section>${controls(view, found, running)}</aside></div>`,
  };
}

/** How it was made in this process. */
function settingsFacts(
  { kind, from, lease, retry: { attempts, minDelay, maxDelay }, onFailure }: ConsumerSettings,
  fact: (name: string, value: Content) => Html,
): readonly Html[] {
  const then = { park: "parks the stream", skip: "skips the event", stop: "stops" }[onFailure];
  return [
    fact("Kind", kind),
    fact("Began at", typeof from === "string" ? from : `position ${from.after}`),
    fact("Lease", duration(lease)),
    fact(
      "A failure",
      `${attempts} attempts, ${duration(minDelay)} to ${duration(maxDelay)} apart, then ${then}`,
    ),
  ];
}

function lanes(view: View, { lanes, head }: InspectedConsumer): Html {
  if (lanes.length === 0) return markup`<div class="empty">It has never run.</div>`;
  return markup`<div class="scroll"><table><thead><tr><th scope="col">Lane</th><th scope="col" class="right">Position</th><th scope="col" class="right">Behind</th><th scope="col">Worker</th><th scope="col" class="right">Lease left</th><th scope="col" class="right">Crashes</th></tr></thead><tbody>${
    lanes.map(({ lane, position, owner, leasedUntil, crashes }) =>
      markup`<tr><th scope="row">${lane}</th><td class="right">${
        view.format(position)
      }</td><td class="right">${position >= head ? "–" : view.format(head - position)}</td><td>${
        owner === undefined
          ? markup`<span class="soft">idle</span>`
          : markup`<bdi class="mono">${owner}</bdi>`
      }</td><td class="right">${
        leasedUntil === undefined
          ? "–"
          : duration(Math.max(0, leasedUntil.getTime() - view.now.getTime()))
      }</td><td class="right">${
        crashes === 0 ? "–" : markup`<span class="warn">${crashes}</span>`
      }</td></tr>`
    )
  }</tbody></table></div>`;
}

function controls(view: View, found: InspectedConsumer, running: boolean): Html | false {
  const own = view.consumer(found);
  const rebuilds = own instanceof Projection && view.may("rebuild") && !running;
  const forgets = found.known === false && view.may("forget");
  if (!rebuilds && !forgets) return false;
  return markup`<section class="panel" aria-labelledby="do"><header><h2 id="do">Actions</h2></header><div class="pad actions">${
    rebuilds &&
    markup`<a class="button" href="${view.to("/rebuild", consumerQuery(found))}">Rebuild…</a>`
  }${
    forgets &&
    markup`<form method="post" action="${view.to("/forget")}">${
      consumerFields(found)
    }<button class="danger">Forget</button></form><p class="soft small">Removes its checkpoints and parked streams. This app does not have it.</p>`
  }</div></section>`;
}

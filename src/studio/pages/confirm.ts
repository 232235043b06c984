import { consumerFields, fields, findConsumer } from "../view/consumer.ts";
import { eventBody, streamLink, typeName } from "../view/event.ts";
import { markup } from "../frame/html.ts";
import { missing } from "../view/missing.ts";
import { parkedOf } from "../view/parked.ts";
import { type Page, tenantOf, type View } from "../view/view.ts";

/** The most waiting events that are counted. */
const most = 100;

/** Asks before an event is given up: shows it, and wants the stream's id typed. */
export async function discard(view: View): Promise<Page> {
  const found = await findConsumer(view);
  const streamId = view.param("stream") ?? "";
  const parking = found &&
    (await parkedOf(view, streamId, view.tenant ?? "")).find((row) =>
      row.consumer === found.name && row.version === found.version &&
      row.consumerTenantId === found.tenantId
    );
  if (found === undefined || parking === undefined || !view.may("discard")) {
    return missing(
      view,
      "This stream is not parked",
      "It has gone on meanwhile, or somebody gave up its event.",
    );
  }
  const { events } = await view.inspector.log({
    streamId,
    after: parking.position - 1,
    limit: most + 1,
  });
  const event = events.find(({ stored }) => stored.position === parking.position);
  const behind = events.length - (event === undefined ? 0 : 1);
  const stream = { stream: streamId, tenant: tenantOf(parking) };
  return {
    title: "Give up an event",
    tab: "/parked",
    body: markup`<div class="head"><span class="crumb"><a href="${
      view.to("/parked")
    }">Parked</a></span><h1>Give up an event</h1></div><div class="note caution"><bdi>${found.name}</bdi> will never handle this event of ${
      streamLink(view, parking)
    }. It stays in the store, and other consumers are not affected.${
      behind > 0 && markup` Behind it ${
        behind > most - 1
          ? markup`more than ${most - 1} events wait`
          : behind === 1
          ? "one event waits"
          : markup`${behind} events wait`
      }.`
    }${
      parking.error !== undefined && markup`<pre class="error">${parking.error}</pre>`
    }</div><div class="pair">${
      event === undefined
        ? markup`<section class="panel"><div class="empty">The event at position ${
          view.format(parking.position)
        } is not there any more.</div></section>`
        : markup`<section class="panel" aria-labelledby="event"><header><h2 id="event">${
          typeName(event.stored.type)
        }</h2></header><div class="pad">${eventBody(view, event)}</div></section>`
    }<aside><form class="panel pad" method="post" action="${view.to("/discard")}">${
      consumerFields(found)
    }${
      fields(stream)
    }<h3><label for="typed">Type the stream's id to confirm</label></h3><p><input class="mono" id="typed" name="typed" required autocomplete="off" spellcheck="false"></p><p><label><input type="checkbox" name="all" value="1"> Give up everything that waits in it by now</label></p><p class="actions"><button class="danger">Give up</button><a class="button" href="${
      view.to("/parked")
    }">Cancel</a></p></form></aside></div>`,
  };
}

/** Asks before a read model is built anew. */
export async function rebuild(view: View): Promise<Page> {
  const found = await findConsumer(view);
  if (found === undefined || view.consumer(found) === undefined || !view.may("rebuild")) {
    return missing(view, "This cannot be rebuilt here", "This app has no projection of that name.");
  }
  return {
    title: `Rebuild ${found.name}`,
    tab: "/consumers",
    body: markup`<div class="head"><span class="crumb"><a href="${
      view.to("/consumers")
    }">Consumers</a></span><h1>Rebuild <bdi>${found.name}</bdi></h1></div><div class="note caution"><strong>Its read model is emptied, and all ${
      view.format(found.head)
    } positions of the log are replayed in this process.</strong> Until that is done, it shows less than it should; where the projection is inline, appends wait.</div><p>To keep the old one in use meanwhile, deploy the projection with another <code>version</code> and tables of its own, let it catch up, and then read from it.</p><form class="actions" method="post" action="${
      view.to("/rebuild")
    }">${consumerFields(found)}<button class="danger">Rebuild</button><a class="button" href="${
      view.to("/consumers")
    }">Cancel</a></form>`,
  };
}

import { Aggregate, defineEvent, type EventInit, type EventOf } from "event-sourcery";
import * as v from "valibot";

const Whole = v.pipe(v.number(), v.integer(), v.minValue(1));
const Line = v.object({ sku: v.string(), quantity: Whole, cents: Whole });

export const LineAdded = defineEvent("LineAdded", Line);
export const OrderSubmitted = defineEvent("OrderSubmitted");
export const orderEvents = [LineAdded, OrderSubmitted] as const;
export type OrderEvent = EventOf<typeof orderEvents[number]>;

export class OrderError extends Error {
  override readonly name = "OrderError";
}

export class Order extends Aggregate<OrderEvent> {
  static readonly category = "order"; // order "42" is the stream "order:42"
  #cents = 0;
  #submitted = false;

  get cents(): number {
    return this.#cents;
  }

  get submitted(): boolean {
    return this.#submitted;
  }

  addLine(line: v.InferInput<typeof Line>, init?: EventInit): void {
    if (this.#submitted) throw new OrderError("The order has been submitted");
    this.emit(LineAdded(line, init)); // checks the line
  }

  submit(init?: EventInit): void {
    if (this.#submitted) throw new OrderError("The order has been submitted");
    if (this.#cents === 0) throw new OrderError("The order is empty");
    this.emit(OrderSubmitted(undefined, init));
  }

  protected apply(event: OrderEvent): void {
    switch (event.type) {
      case "LineAdded":
        this.#cents += event.data.quantity * event.data.cents;
        break;
      case "OrderSubmitted":
        this.#submitted = true;
        break;
      default:
        event satisfies never; // the compiler names the event that is missing here
    }
  }
}

// The shop on NestJS, with Express beneath, and Node. Its decorators are called as functions, so that no compiler is needed.
// With one, and `experimentalDecorators`, write `@Controller("orders")` above the class instead.
import {
  Bind,
  Controller,
  Dependencies,
  Get,
  Module,
  type OnApplicationShutdown,
  Param,
  Post,
  Req,
  Res,
} from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import type { Request, Response } from "express";
import "reflect-metadata";
import { send, webRequest } from "./node.ts";
import { openShop, type Shop, stopRequested } from "./shop.ts";

class OrdersController {
  readonly #orders: Shop["orders"];

  constructor({ orders }: Shop) {
    this.#orders = orders;
  }

  place(req: Request, res: Response): Promise<void> {
    return send(this.#orders.place(webRequest(req)), res);
  }

  addLine(req: Request, res: Response, id: string): Promise<void> {
    return send(this.#orders.addLine(webRequest(req), id), res);
  }

  submit(req: Request, res: Response, id: string): Promise<void> {
    return send(this.#orders.submit(webRequest(req), id), res);
  }

  show(req: Request, res: Response, id: string): Promise<void> {
    return send(this.#orders.show(webRequest(req), id), res);
  }

  list(_req: Request, res: Response): Promise<void> {
    return send(this.#orders.list(), res);
  }
}

class HealthController {
  readonly #health: Shop["health"];

  constructor({ health }: Shop) {
    this.#health = health;
  }

  check(req: Request, res: Response): Promise<void> {
    return send(this.#health.fetch(webRequest(req)), res);
  }
}

class ShopModule implements OnApplicationShutdown {
  readonly #shop: Shop;

  constructor(shop: Shop) {
    this.#shop = shop;
  }

  /** Nest calls it once the last request has been answered; `onModuleDestroy` would be too early. */
  async onApplicationShutdown(): Promise<void> {
    await this.#shop.close();
  }
}

route(OrdersController, "place", Post());
route(OrdersController, "addLine", Post(":id/lines"));
route(OrdersController, "submit", Post(":id/submit"));
route(OrdersController, "show", Get(":id"));
route(OrdersController, "list", Get());
route(HealthController, "check", Get(["", ":probe"]));
Controller("orders")(OrdersController);
Controller("health")(HealthController);
for (const user of [OrdersController, HealthController, ShopModule]) Dependencies("shop")(user);
Module({
  controllers: [OrdersController, HealthController],
  providers: [{ provide: "shop", useFactory: openShop }],
})(ShopModule);

const app = await NestFactory.create(ShopModule, { bodyParser: false, logger: ["warn", "error"] });
await app.listen(app.get<Shop>("shop").port);
console.log("ready");

await stopRequested();
app.getHttpServer().keepAliveTimeout = 1; // else a connection stays open after its last response
await app.close(); // no new requests; the last ones finish; then `onApplicationShutdown`

/** What `@Post()` above the method does, and `@Req()`, `@Res()`, `@Param("id")` before its parameters. */
function route<C extends { readonly prototype: object }>(
  { prototype }: C,
  name: keyof C["prototype"] & string,
  decorate: MethodDecorator,
): void {
  const descriptor = Object.getOwnPropertyDescriptor(prototype, name)!;
  Bind(Req(), Res(), Param("id"))(prototype, name, descriptor);
  decorate(prototype, name, descriptor);
}

import process from "node:process";
import { answers } from "./server.ts";

/** Whether there is a RabbitMQ to test with: at `AMQP_URL`, or on this machine. */
export async function brokerAnswers(): Promise<boolean> {
  const { hostname, port } = new URL(process.env["AMQP_URL"] || "amqp://127.0.0.1");
  return await answers(Number(port || 5672), hostname);
}

/** The NATS server to test with. */
export const natsUrl: string = process.env["NATS_URL"] || "nats://127.0.0.1:4222";

/** Whether it is there. */
export async function natsAnswers(): Promise<boolean> {
  const { hostname, port } = new URL(natsUrl);
  return await answers(Number(port || 4222), hostname);
}

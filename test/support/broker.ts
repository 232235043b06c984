import process from "node:process";
import { answers } from "./server.ts";

/** Whether there is a RabbitMQ to test with: at `AMQP_URL`, or on this machine. */
export async function brokerAnswers(): Promise<boolean> {
  const { hostname, port } = new URL(process.env["AMQP_URL"] || "amqp://127.0.0.1");
  return await answers(Number(port || 5672), hostname);
}

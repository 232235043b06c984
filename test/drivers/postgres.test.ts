import { contractOn } from "../support/contract.ts";

contractOn("embedded");

import { createLoggerTo } from "../../../src/runtime/logger.js";

export const silentLog = createLoggerTo({ write: () => {} });

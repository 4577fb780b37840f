// Tasks outside this repository import this file as "photo-service/tasks". Beware: run.js imports
// it in a child, so it must not load the schemas.
export { defineTask } from "../define-task.js";
export { PermanentTaskError, TaskFailedError } from "../../domain/errors.js";

// What people who look into the database may see: a list of what is shown, so that a column is
// hidden until somebody decides otherwise. Left out are what opens or forges something (keys of
// stored files, idempotency keys) and hashes of people's bytes.

export interface ReadOnlyView {
  columns: readonly string[];
  /** What its rows are paged by: the table's primary key. */
  key: readonly string[];
}

export const READ_ONLY_SCHEMA = "readonly";

/** A view for each table, of the table's name. */
export const READ_ONLY_VIEWS: Readonly<Record<string, ReadOnlyView>> = {
  users: {
    key: ["id"],
    columns: [
      "id",
      "issuer",
      "subject",
      "email",
      "email_verified",
      "name",
      "picture",
      "admin",
      "claims_issued_at",
      "created_at",
      "closed_at",
    ],
  },
  deleted_accounts: { key: ["identity"], columns: ["identity", "deleted_at"] },
  user_streams: {
    key: ["user_id"],
    columns: ["user_id", "last_seq", "floor_seq", "pending", "stored_bytes", "recorded_bytes"],
  },
  jobs: {
    key: ["name"],
    columns: [
      "name",
      "title",
      "description",
      "parameter_schema",
      "result_schema",
      "min_photos",
      "max_photos",
      "max_attempts",
      "timeout_ms",
      "offered",
    ],
  },
  photos: {
    key: ["id"],
    columns: [
      "id",
      "user_id",
      "filename",
      "mime_type",
      "width",
      "height",
      "byte_size",
      "thumbhash",
      "preview_attempts",
      "created_at",
    ],
  },
  queued_jobs: {
    key: ["id"],
    columns: [
      "id",
      "user_id",
      "job_name",
      "status",
      "run",
      "version",
      "attempts",
      "failures",
      "stalls",
      "lease_until",
      "worker",
      "parameters",
      "photo_count",
      "priority",
      "run_at",
      "due_at",
      "progress",
      "progress_message",
      "result",
      "error_code",
      "error_message",
      "request_id",
      "fresh",
      "reused_from",
      "created_at",
      "updated_at",
      "started_at",
      "finished_at",
      "expires_at",
    ],
  },
  queued_job_photos: {
    key: ["queued_job_id", "position"],
    columns: ["queued_job_id", "position", "photo_id"],
  },
  queued_job_outputs: {
    key: ["queued_job_id", "position"],
    columns: ["queued_job_id", "position", "name", "mime_type", "byte_size", "width", "height"],
  },
  queued_job_events: {
    key: ["user_id", "seq"],
    columns: ["user_id", "seq", "queued_job_id", "type", "at", "snapshot", "bytes"],
  },
  duties: { key: ["name"], columns: ["name", "holder", "held_until"] },
};

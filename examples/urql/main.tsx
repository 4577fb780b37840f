// React with urql. Its operations go through the package, which resumes subscriptions behind their
// last event; uploads use its hook.
import { createPhotoService, execute } from "photo-service-client";
import { PhotoServiceProvider, useUpload } from "photo-service-client/react";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { thumbHashToDataURL } from "thumbhash";
import {
  cacheExchange,
  Client,
  Provider,
  subscriptionExchange,
  useMutation,
  useSubscription,
} from "urql";
import { graphql } from "./generated";

const API = import.meta.env.VITE_API ?? "http://127.0.0.1:4000";
const service = createPhotoService({ url: API, token: import.meta.env.VITE_TOKEN });

const client = new Client({
  url: `${API}/graphql`,
  exchanges: [
    cacheExchange,
    subscriptionExchange({
      enableAllOperations: true,
      forwardSubscription: ({ query = "", variables }, { kind }) => ({
        subscribe: (sink) => ({
          unsubscribe: execute(service, { kind, query, variables }, sink),
        }),
      }),
    }),
  ],
});

const Submit = graphql(`
  mutation Submit($photo: ID!, $key: String!) {
    enqueueJob(
      input: {
        run: { thumbnail: { widths: [320, 2560] } }
        photoIds: [$photo]
        idempotencyKey: $key
      }
    ) {
      id
    }
  }
`);

const Watch = graphql(`
  subscription Watch($id: ID!, $after: String) {
    queuedJobEvents(queuedJobId: $id, after: $after) {
      cursor
      queuedJob {
        id
        status
        progress
        error {
          message
        }
        outputs {
          url
        }
        typedResult {
          ... on ThumbnailResult {
            variants {
              width
              height
            }
          }
        }
      }
    }
  }
`);

const Cancel = graphql(`
  mutation Cancel($id: ID!) {
    cancelQueuedJob(id: $id) {
      id
    }
  }
`);

function Thumbnail() {
  const { upload, uploads } = useUpload();
  const [{ data: submitted, error: refused }, submit] = useMutation(Submit);
  const [, cancel] = useMutation(Cancel);
  const id = submitted?.enqueueJob.id;
  const [{ data, error }] = useSubscription({
    query: Watch,
    variables: { id: id ?? "" },
    pause: !id,
  });
  const last = uploads.at(-1);
  const event = data?.queuedJobEvents.queuedJob;
  // The last event may belong to the photo before this one.
  const job = last?.photo && event?.id === id ? event : undefined;
  const [variant] =
    job?.typedResult?.__typename === "ThumbnailResult" ? job.typedResult.variants : [];
  const [output] = job?.outputs ?? [];

  async function choose(file: File | undefined) {
    const photo = file && (await upload(file));
    if (photo) await submit({ photo: photo.id, key: crypto.randomUUID() });
  }

  return (
    <>
      <input
        type="file"
        aria-label="Photo"
        accept="image/*"
        onChange={({ target }) => void choose(target.files?.[0])}
      />
      <progress aria-label="Progress" value={((last?.progress ?? 0) + (job?.progress ?? 0)) / 2} />
      <button onClick={() => (job ? void cancel({ id: job.id }) : last?.cancel())}>Cancel</button>
      <p role="status">{(last?.error ?? refused ?? error ?? job?.error)?.message ?? job?.status}</p>
      {last?.photo && (
        <img
          alt={last.photo.filename}
          width={variant?.width ?? 320}
          height={variant?.height}
          src={output ? new URL(output.url, API).href : blurred(last.photo.thumbhash)}
        />
      )}
    </>
  );
}

/** A blurred picture of some 25 bytes, which is there before the thumbnail. */
function blurred(thumbhash: string | null) {
  return thumbHashToDataURL(Uint8Array.from(atob(thumbhash ?? ""), (byte) => byte.charCodeAt(0)));
}

createRoot(document.getElementById("root") ?? document.body).render(
  <StrictMode>
    <PhotoServiceProvider service={service}>
      <Provider value={client}>
        <Thumbnail />
      </Provider>
    </PhotoServiceProvider>
  </StrictMode>,
);

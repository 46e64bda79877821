# The farm's server, built from the lock file. With npm's cache in .npm-cache it needs no network:
#   npm ci --cache .npm-cache && docker build --network none -t sward .
ARG NODE=node:20-bookworm-slim
FROM ${NODE} AS build
WORKDIR /sward
COPY package.json package-lock.json .npmrc* ./
COPY package.json .npm-cache* /npm-cache/
RUN npm ci --cache /npm-cache --prefer-offline --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
COPY scripts ./scripts
COPY web ./web
# The build makes the app its model of the starter.
COPY runs ./runs
COPY weights ./weights
RUN npm run build && npm prune --omit=dev --offline --no-audit --no-fund

FROM ${NODE}
ENV NODE_ENV=production
WORKDIR /sward
COPY --from=build /sward/node_modules ./node_modules
COPY --from=build /sward/dist ./dist
COPY package.json LICENSE ./
COPY runs ./runs
COPY weights ./weights
RUN mkdir /data && chown node:node /data
USER node
ENV SWARD_CACHE=/data/cache
VOLUME /data
EXPOSE 8080
HEALTHCHECK CMD ["node", "-e", "fetch('http://127.0.0.1:8080/healthz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
STOPSIGNAL SIGTERM
CMD ["node", "dist/cli/main.js", "serve", "--data", "/data", "--host", "0.0.0.0", "--behind-proxy"]

// `node ops/docker/healthcheck.ts URL`: exit 0 when it answers 2xx. The image has no curl.
const timeoutMs = 3_000;

const answered = await fetch(process.argv[2] ?? '', { signal: AbortSignal.timeout(timeoutMs) }).then(
  ({ ok }) => ok,
  () => false,
);
process.exitCode = answered ? 0 : 1;

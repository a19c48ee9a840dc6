// Preloaded into a process (`node --import`): its wall clock is off by CLOCK_SHIFT_MS; monotonic time is as it is (F14).
const shiftMs = Number(process.env['CLOCK_SHIFT_MS']);
const now = Date.now.bind(Date);

globalThis.Date = new Proxy(Date, {
  construct: (target, given, self) => Reflect.construct(target, given.length === 0 ? [now() + shiftMs] : given, self),
  apply: (target) => new target(now() + shiftMs).toString(),
  get: (target, name) => (name === 'now' ? () => now() + shiftMs : Reflect.get(target, name)),
});

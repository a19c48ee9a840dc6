export { type Outcome, outcomes } from './outcomes.ts';
export { createSandbox, type Sandbox, type SandboxOptions } from './sandbox.ts';

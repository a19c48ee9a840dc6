export { FailpointError, failpoint, setFailpoints } from './failpoint.ts';
export {
  type Check,
  type CheckOptions,
  type CheckReport,
  createHealth,
  type Health,
  type HealthOptions,
  type HealthReport,
} from './health.ts';
export { type Close, type Lifecycle, type RunOptions, runProcess } from './run-process.ts';

export {
  type Bus,
  type BusConnection,
  type BusOptions,
  type BusState,
  createBus,
  type PublishOptions,
  type StreamName,
  type StreamState,
} from './bus.ts';
export {
  ack,
  type BusMessage,
  type ConsumeOptions,
  type Consumption,
  consume,
  type Outcome,
  park,
  retry,
} from './consume.ts';
export { streamDefinitions } from './streams.ts';

export { type FlagName, flagDefinitions, flagNames, isFlagName } from './flag-definitions.ts';
export {
  createFlagReader,
  type FlagReader,
  type FlagReaderDeps,
  type Flags,
  flagsBucket,
  flagsChangedSignal,
} from './flag-reader.ts';

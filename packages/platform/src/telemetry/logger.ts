import { trace } from '@opentelemetry/api';
import {
  type Bindings,
  type ChildLoggerOptions,
  type DestinationStream,
  type Logger as PinoLogger,
  pino,
  stdTimeFunctions,
} from 'pino';
import { currentRequest, currentTraceId } from './context.ts';
import { redactText, redactValue } from './redact.ts';

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
export type Logger = PinoLogger;

export interface LoggerOptions {
  readonly name: string;
  readonly level: LogLevel | (string & {});
  /** Where lines go; standard output when left out. */
  readonly destination?: DestinationStream;
}

/**
 * One JSON object a line, so a text with line breaks can't forge a second entry (CWE-117), with ids of trace and
 * request, and without personal data, card numbers or credentials (S6.2).
 */
export function createLogger(options: LoggerOptions): Logger {
  const settings = {
    name: options.name,
    level: options.level,
    base: { name: options.name, pid: process.pid },
    timestamp: stdTimeFunctions.isoTime,
    mixin: contextFields,
    // Errors are already plain, redacted objects: pino's own serializer would lose their type.
    serializers: { err: (error: unknown) => error },
    formatters: {
      level: (label: string) => ({ level: label }),
      log: (fields: Record<string, unknown>) => redactValue(fields) as Record<string, unknown>,
      bindings: (fields: Record<string, unknown>) => redactValue(fields) as Record<string, unknown>,
    },
    hooks: {
      // biome-ignore lint/suspicious/noExplicitAny: pino hands the arguments of any of its overloads through.
      logMethod(this: Logger, parts: any[], method: (...parts: any[]) => void) {
        method.apply(this, parts.map(redactArgument));
      },
    },
  };
  const logger = options.destination === undefined ? pino(settings) : pino(settings, options.destination);
  redactBindings(logger);
  return logger;
}

/** pino's formatter of bindings is for the root alone; those of children would go out as they are. */
function redactBindings(logger: Logger): void {
  const { setBindings } = logger;
  type Child = (this: Logger, bindings: Bindings, options?: ChildLoggerOptions) => Logger;
  const child = logger.child as unknown as Child;
  const redacting: Child = function (bindings, options) {
    return child.call(this, redactValue(bindings) as Bindings, options);
  };
  logger.child = redacting as unknown as Logger['child'];
  logger.setBindings = function (this: Logger, bindings) {
    setBindings.call(this, redactValue(bindings) as Bindings);
  };
}

/** The first may be the fields of the line, which the formatter redacts; the others are put into its text by pino. */
function redactArgument(part: unknown, index: number): unknown {
  if (typeof part === 'string') return redactText(part);
  if (index > 0) return redactValue(part);
  // pino would print an error that is the first argument by itself, past our formatter.
  return part instanceof Error ? { err: redactValue(part) } : part;
}

function contextFields(): Record<string, string> {
  const fields: Record<string, string> = {};
  const span = trace.getActiveSpan()?.spanContext();
  const traceId = currentTraceId();
  const requestId = currentRequest()?.requestId;
  if (traceId !== undefined) fields['trace_id'] = traceId;
  if (span !== undefined) fields['span_id'] = span.spanId;
  if (requestId !== undefined) fields['requestId'] = requestId;
  return fields;
}

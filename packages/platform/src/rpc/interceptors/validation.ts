import { create, type DescField, type DescMessage, type Message } from '@bufbuild/protobuf';
import type { Path } from '@bufbuild/protobuf/reflect';
import { createValidator, type Violation as RuleViolation, type Validator } from '@bufbuild/protovalidate';
import { DataClass } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import { commonErrors, type Violation } from '../../errors/index.ts';
import { fieldPolicy } from '../message-text.ts';
import type { RequestInterceptor } from './interceptor.ts';

const VIOLATIONS_MAX = 100;

let shared: Validator | undefined;

/**
 * protovalidate over the contract's rules (S2.1). One validator for all: the first use of a rule compiles it, which takes
 * 130–215 ms (measured.md), so each message type is validated once here, at start.
 */
export function createValidationInterceptor(): RequestInterceptor {
  shared ??= createValidator();
  const validator = shared;
  return (method) => {
    const desc = method.input;
    validator.validate(desc, create(desc));
    return (request) => validate(validator, desc, request);
  };
}

function validate(validator: Validator, desc: DescMessage, request: Message): void {
  const result = validator.validate(desc, request);
  if (result.kind === 'valid') return;
  // A rule that can't be evaluated is a fault of the contract; the request is not let through.
  if (result.kind === 'error') throw commonErrors.INTERNAL({ cause: result.error });
  const violations = result.violations.slice(0, VIOLATIONS_MAX).map(violationOf);
  throw commonErrors.VALIDATION_FAILED({ violations });
}

function violationOf(violation: RuleViolation): Violation {
  const leaf = violation.field.findLast((segment): segment is DescField => segment.kind === 'field');
  const isSecret = leaf !== undefined && fieldPolicy(leaf)?.data === DataClass.SECRET;
  const rule = violation.ruleId;
  // A custom rule may print the value it looked at; what is secret is told by its rule alone.
  return { field: pathToText(violation.field), rule, message: isSecret ? `breaks ${rule}` : violation.message };
}

/** `amount.currency_code`, `items[2]`, `labels["colour"]`: names as they stand in the proto. */
export function pathToText(path: Path): string {
  let text = '';
  for (const segment of path) {
    if (segment.kind === 'field') text += text === '' ? segment.name : `.${segment.name}`;
    else if (segment.kind === 'list_sub') text += `[${segment.index}]`;
    else if (segment.kind === 'map_sub') text += `[${JSON.stringify(String(segment.key))}]`;
    else if (segment.kind === 'oneof') text += text === '' ? segment.name : `.${segment.name}`;
    else text += `[${segment.typeName}]`;
  }
  return text;
}

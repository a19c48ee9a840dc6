import { TextTreatment } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import type { Metrics } from '../../telemetry/index.ts';
import { compileTextWalk, fieldPolicy } from '../message-text.ts';
import { normalizeText, sanitizeText, textTreatment } from '../text-treatment.ts';
import type { RequestInterceptor } from './interceptor.ts';

/** Treats every text as its field says, before validation, so that the rules see what is stored (S2.2). */
export function createSanitationInterceptor(service: string, metrics: Metrics | undefined): RequestInterceptor {
  const sanitize = (text: string): string => {
    const clean = sanitizeText(text);
    if (clean !== text && clean !== normalizeText(text)) metrics?.increment('sanitized_fields_total', { service });
    return clean;
  };
  return (method) =>
    compileTextWalk(method.input, (field) => {
      const treatment = fieldPolicy(field)?.text ?? TextTreatment.UNSPECIFIED;
      return treatment === TextTreatment.SANITIZE ? sanitize : textTreatment(treatment);
    });
}

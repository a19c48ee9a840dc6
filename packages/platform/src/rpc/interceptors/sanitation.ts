import { TextTreatment } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import { compileTextWalk, fieldPolicy } from '../message-text.ts';
import { textTreatment } from '../text-treatment.ts';
import type { RequestInterceptor } from './interceptor.ts';

/** Treats every text as its field says, before validation, so that the rules see what is stored (S2.2). */
export const sanitationInterceptor: RequestInterceptor = (method) => {
  return compileTextWalk(method.input, (field) => textTreatment(fieldPolicy(field)?.text ?? TextTreatment.UNSPECIFIED));
};

import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  GetCaptchaChallengeRequest,
  GetCaptchaChallengeResponseSchema,
} from '@strongroom/gen/strongroom/auth/v1/session_pb.ts';
import type { Deps } from '../deps.ts';
import { makeCaptcha } from './captcha.ts';
import { captchaKeysOf } from './require-captcha.ts';

/** S1.3e: a proof-of-work challenge; nothing about the caller goes into it. */
export async function getCaptchaChallenge(
  deps: Deps,
  _request: GetCaptchaChallengeRequest,
): Promise<MessageInitShape<typeof GetCaptchaChallengeResponseSchema>> {
  const challengeJson = await makeCaptcha(captchaKeysOf(deps.keyring), deps.config.CAPTCHA_COST, deps.now());
  return { challengeJson };
}

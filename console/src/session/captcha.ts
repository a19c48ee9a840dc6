import { createClient } from '@connectrpc/connect';
import { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import { plainTransport } from '../api/plain-transport.ts';
import { hasReason } from '../errors/service-error.ts';

const auth = createClient(AuthService, plainTransport);

/** Makes the call; where the server asks for a proof of work, solves one and makes it again with the solution. */
export async function withCaptcha<T>(call: (captcha: string | undefined) => Promise<T>): Promise<T> {
  try {
    return await call(undefined);
  } catch (error) {
    if (!hasReason(error, 'CAPTCHA_REQUIRED')) throw error;
    const { challengeJson } = await auth.getCaptchaChallenge({});
    const { solveCaptcha } = await import('./solve-captcha.ts');
    return call(await solveCaptcha(challengeJson));
  }
}

import { useQuery } from '@connectrpc/connect-query';
import { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import { Listing } from '../ui/listing.tsx';
import { Page } from '../ui/page.tsx';
import { ChangePasswordForm } from './change-password-form.tsx';
import { TotpEnrolment } from './totp-enrolment.tsx';

/** All that a token lets through which is good for nothing but a new password, or a first second factor. */
export function RestrictedPage() {
  const query = useQuery(AuthService.method.getMe);
  return (
    <Listing what="your account" query={query}>
      {({ user }) =>
        user?.passwordChangeRequired ? (
          <Page title="Choose a new password">
            <p>This account was made with a password that somebody else has seen. Change it before anything else.</p>
            <ChangePasswordForm />
          </Page>
        ) : (
          <Page title="Add a second factor">
            <p>Your role must have a second factor. Add one before anything else.</p>
            <TotpEnrolment />
          </Page>
        )
      }
    </Listing>
  );
}

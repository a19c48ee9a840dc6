import { base64Encode } from '@bufbuild/protobuf/wire';
import { createClient } from '@connectrpc/connect';
import { useQuery } from '@connectrpc/connect-query';
import { ProfileService } from '@strongroom/gen/strongroom/profile/v1/profile_service_pb.ts';
import { useMutation } from '@tanstack/react-query';
import { invalidate } from '../api/invalidate.ts';
import { transport } from '../api/transport.ts';
import { ErrorNotice } from '../errors/error-notice.tsx';
import { Field } from '../ui/field.tsx';

const profiles = createClient(ProfileService, transport);
const { getAvatar, getProfile } = ProfileService.method;

/** The picture is sent as soon as it is chosen; the server re-encodes it. */
export function AvatarForm({ avatarUrl, userId }: { avatarUrl: string; userId: string }) {
  // An address elsewhere is not loaded: the console asks nobody but its own server.
  const isOurs = avatarUrl.startsWith('/');
  const picture = useQuery(getAvatar, { userId }, { enabled: isOurs });
  const upload = useMutation({
    mutationFn: async (file: File) => {
      await profiles.uploadAvatar({ content: new Uint8Array(await file.arrayBuffer()) });
      await invalidate(getProfile, getAvatar);
    },
  });
  return (
    <div className="avatar">
      {picture.data !== undefined && (
        <img
          src={`data:${picture.data.contentType};base64,${base64Encode(picture.data.content)}`}
          alt="You, as others see you"
          width="72"
          height="72"
        />
      )}
      <Field
        name="content"
        label="Picture"
        hint="PNG, JPEG, WebP or GIF, 2 MB at most."
        type="file"
        accept="image/png,image/jpeg,image/webp,image/gif"
        disabled={upload.isPending}
        onChange={({ target: { files } }) => {
          const file = files?.[0];
          if (file !== undefined) upload.mutate(file);
        }}
      />
      <ErrorNotice error={upload.error} />
    </div>
  );
}

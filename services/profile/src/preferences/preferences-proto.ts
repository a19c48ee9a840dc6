import { create } from '@bufbuild/protobuf';
import {
  NotificationPreferencesSchema,
  type Preferences,
  PreferencesSchema,
} from '@strongroom/gen/strongroom/profile/v1/preferences_pb.ts';
import type { PreferencesDocument } from './preferences.ts';

export function preferencesToProto({ notifications, ...rest }: PreferencesDocument): Preferences {
  return create(PreferencesSchema, {
    ...rest,
    ...(notifications === undefined ? {} : { notifications: create(NotificationPreferencesSchema, notifications) }),
  });
}

export function preferencesFromProto({
  theme,
  language,
  currency,
  timeZone,
  notifications,
}: Preferences): PreferencesDocument {
  return {
    ...(theme === undefined ? {} : { theme }),
    ...(language === undefined ? {} : { language }),
    ...(currency === undefined ? {} : { currency }),
    ...(timeZone === undefined ? {} : { timeZone }),
    ...(notifications === undefined
      ? {}
      : { notifications: { email: notifications.email, push: notifications.push, sms: notifications.sms } }),
  };
}

import { IconCircleCheck, IconClock, IconRefresh, IconSendOff } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

const looks = {
  queued: { tone: "none", Icon: IconClock },
  retrying: { tone: "warn", Icon: IconRefresh },
  delivered: { tone: "ok", Icon: IconCircleCheck },
  failed: { tone: "bad", Icon: IconSendOff },
} as const;

/** How far a message has come. */
export function DeliveryState({ state }: { state: string }) {
  const { t } = useTranslation();
  const known = state in looks ? (state as keyof typeof looks) : "queued";
  const { tone, Icon } = looks[known];
  return (
    <span className="status" data-tone={tone}>
      <Icon size={15} aria-hidden />
      {t(`delivery.${known}`)}
    </span>
  );
}

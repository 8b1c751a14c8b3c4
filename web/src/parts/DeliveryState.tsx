import { IconCircleCheck, IconClock, IconRefresh, IconSendOff, IconUserOff } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { Delivery } from "../api/types";

const looks = {
  queued: { tone: "none", Icon: IconClock },
  retrying: { tone: "warn", Icon: IconRefresh },
  delivered: { tone: "ok", Icon: IconCircleCheck },
  failed: { tone: "bad", Icon: IconSendOff },
  nobody: { tone: "bad", Icon: IconUserOff },
  withdrawn: { tone: "none", Icon: IconSendOff },
} as const;

/** How far a message has come; one that failed at least once is retrying, not merely queued. */
export function DeliveryState({ delivery: d }: { delivery: Pick<Delivery, "state" | "attempts"> }) {
  const { t } = useTranslation();
  const look = d.state === "pending" ? (d.attempts > 0 ? "retrying" : "queued") : d.state;
  const { tone, Icon } = looks[look];
  return (
    <span className="status" data-tone={tone}>
      <Icon size={15} aria-hidden />
      {t(`delivery.${look}`)}
    </span>
  );
}

import { useTranslation } from "react-i18next";
import { useLive } from "../api/LiveProvider";
import { useFormat } from "../format";

/** Whether what is on the screen is live, and if not since when. */
export function Connection() {
  const { t } = useTranslation();
  const { state } = useLive();
  const f = useFormat();
  const text =
    state.name === "live" ? t("live.live") : state.name === "connecting" ? t("live.connecting") : state.name === "reconnecting" ? t("live.reconnecting") : t("live.offline", { time: f.clock(state.since) });
  return (
    <div className="conn" data-state={state.name} role="status" title={state.name === "live" ? t("live.liveNote") : t("live.pollNote")}>
      <i aria-hidden />
      <span>{text}</span>
    </div>
  );
}

import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { onSessionExpired } from "../api/client";
import { me } from "../api/queries";
import { Dialog } from "../parts/Dialog";

/** Where signing in leads back to. */
export function signInAddress(here: { pathname: string; search: string }): string {
  return "/signin?next=" + encodeURIComponent(here.pathname + here.search);
}

/**
 * A reader who arrives without a session is taken to the sign-in page; one
 * whose session ends while reading keeps what is on the screen and is told.
 */
export function SessionEnd() {
  const { t } = useTranslation();
  const who = useQuery(me());
  const [ended, setEnded] = useState(false);
  const known = who.data !== undefined;
  useEffect(
    () =>
      onSessionExpired(() => {
        if (known) setEnded(true);
        else location.assign(signInAddress(location));
      }),
    [known],
  );
  return (
    <Dialog opened={ended} onClose={() => setEnded(false)} title={t("session.ended")}>
      <p>{t("session.endedWhat")}</p>
      <p style={{ marginTop: "0.75rem" }}>
        <a className="smallbtn main" href={signInAddress(location)} data-autofocus>
          {t("session.signIn")}
        </a>
      </p>
    </Dialog>
  );
}

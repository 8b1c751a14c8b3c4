import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Dialog } from "./Dialog";

/** A button whose deed cannot be taken back: it says what will happen and asks once more. */
export function ConfirmButton({ label, title, children, onConfirm, busy }: { label: string; title: string; children: ReactNode; onConfirm: () => void; busy?: boolean }) {
  const { t } = useTranslation();
  const [asking, setAsking] = useState(false);
  return (
    <>
      <button className="smallbtn danger" disabled={busy} onClick={() => setAsking(true)}>
        {label}
      </button>
      <Dialog opened={asking} onClose={() => setAsking(false)} title={title}>
        <div>{children}</div>
        <div className="row" style={{ marginTop: "1rem", justifyContent: "flex-end" }}>
          <button className="smallbtn" data-autofocus onClick={() => setAsking(false)}>
            {t("cancel")}
          </button>
          <button
            className="smallbtn danger"
            onClick={() => {
              setAsking(false);
              onConfirm();
            }}
          >
            {label}
          </button>
        </div>
      </Dialog>
    </>
  );
}

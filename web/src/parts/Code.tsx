import { useClipboard } from "@mantine/hooks";
import { useTranslation } from "react-i18next";

export function CopyButton({ text, className }: { text: string; className?: string }) {
  const { t } = useTranslation();
  const clipboard = useClipboard({ timeout: 2000 });
  return (
    <button type="button" className={`smallbtn ${className ?? ""}`} onClick={() => clipboard.copy(text)}>
      <span aria-live="polite">{clipboard.error ? t("copy.failed") : clipboard.copied ? t("copy.done") : t("copy.do")}</span>
    </button>
  );
}

/** Text to copy exactly. */
export function Code({ text }: { text: string }) {
  return (
    <div className="codebox">
      <pre>
        <code>{text}</code>
      </pre>
      <CopyButton text={text} className="copy" />
    </div>
  );
}

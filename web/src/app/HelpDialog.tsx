import { useTranslation } from "react-i18next";
import { Dialog } from "../parts/Dialog";

/** The keys, in words. */
export function HelpDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { t } = useTranslation();
  const keys = [
    [["/"], t("help.jump")],
    [["g", "h"], t("nav.now")],
    [["g", "s"], t("nav.services")],
    [["g", "o"], t("nav.slos")],
    [["g", "p"], t("nav.probes")],
    [["g", "e"], t("nav.explore")],
    [["g", "a"], t("nav.activity")],
    [["g", "t"], t("nav.settings")],
    [["←", "→"], t("help.chart")],
    [["Esc"], t("help.close")],
    [["?"], t("help.title")],
  ] as const;
  return (
    <Dialog opened={opened} onClose={onClose} title={t("help.title")}>
      <table className="t">
        <thead>
          <tr>
            <th scope="col">{t("help.key")}</th>
            <th scope="col">{t("help.does")}</th>
          </tr>
        </thead>
        <tbody>
          {keys.map(([press, does]) => (
            <tr key={does}>
              <td className="nowrap">
                {press.map((k) => (
                  <kbd key={k} style={{ marginRight: 4 }}>
                    {k}
                  </kbd>
                ))}
              </td>
              <td>{does}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Dialog>
  );
}

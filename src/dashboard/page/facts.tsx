import { Fragment, h } from '/vendor/preact.js';
import type { StatusView } from '../told.js';
import { Sign } from './signs.js';

/** What `kubewright status` says: facts, findings, and what could not be seen. */
export function Facts({ status }: { status: StatusView }) {
  const { facts, findings, moreFindings, notKnown } = status;
  return (
    <section aria-labelledby="facts-title">
      <h2 id="facts-title">How it stands</h2>
      <dl class="facts">
        {facts.map(({ label, text, tone = 'faint', more }) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>
              <Sign tone={tone} /> {text}
              {more.map((sentence) => (
                <p class="faint" key={sentence}>
                  {sentence}
                </p>
              ))}
            </dd>
          </div>
        ))}
      </dl>
      {findings.length > 0 && (
        <>
          <h3>What the last check has found</h3>
          <ul class="findings">
            {findings.map(({ code, text, hint }, index) => (
              <li key={index}>
                <strong class="bad">{code}</strong> {text}
                {hint !== '' && <p class="faint">{hint}</p>}
              </li>
            ))}
          </ul>
          {moreFindings > 0 && <p>and {moreFindings} more</p>}
        </>
      )}
      {notKnown.length > 0 && (
        <>
          <h3>Not known</h3>
          <ul>
            {notKnown.map(({ what, why }) => (
              <li key={what}>
                {what}: <span class="faint">{why}</span>
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

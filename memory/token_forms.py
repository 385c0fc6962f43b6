"""What the keys and tokens of well-known services look like.

Each form is a fixed beginning and what has to follow it. The beginning is looked for first, which is quick;
only where it stands in a text is the pattern tried. Beginnings are as their services document them; a list
of them is at https://github.com/gitleaks/gitleaks/blob/master/config/gitleaks.toml

Checksums inside tokens (GitHub's and npm's CRC32) are not asked for: no prose looks like these tokens,
and one that was mistyped still gives most of the right one away.
"""

import re

_FORMS = r"""
AKIA  [A-Z0-9]{16}
ASIA  [A-Z0-9]{16}
ABIA  [A-Z0-9]{16}
ACCA  [A-Z0-9]{16}
AGPA  [A-Z0-9]{16}
AROA  [A-Z0-9]{16}
AIDA  [A-Z0-9]{16}
bedrock-api-key-  [A-Za-z0-9+/=_-]{20,}+
LTAI  [A-Za-z0-9]{17,21}
AKID  [A-Za-z0-9]{32}
ghp_  [A-Za-z0-9]{36,}+
gho_  [A-Za-z0-9]{36,}+
ghu_  [A-Za-z0-9]{36,}+
ghs_  [A-Za-z0-9]{36,}+
ghr_  [A-Za-z0-9]{36,}+
github_pat_  [A-Za-z0-9_]{36,}+
glpat-  [A-Za-z0-9_.-]{20,}+
gldt-  [A-Za-z0-9_-]{20,}+
glrt-  [A-Za-z0-9_.-]{20,}+
glptt-  [A-Za-z0-9_-]{20,}+
glcbt-  [A-Za-z0-9_-]{20,}+
glsoat-  [A-Za-z0-9_-]{20,}+
glimt-  [A-Za-z0-9_-]{20,}+
glagent-  [A-Za-z0-9_-]{20,}+
glft-  [A-Za-z0-9_-]{20,}+
glffct-  [A-Za-z0-9_-]{20,}+
gloas-  [A-Za-z0-9_-]{64}
GR1348941  [A-Za-z0-9_-]{20,}+
ATATT3  [A-Za-z0-9_=-]{60,}+
ATCTT3  [A-Za-z0-9_=-]{60,}+
ATBB  [A-Za-z0-9]{28,}+
xoxb-  [A-Za-z0-9-]{10,}+
xoxa-  [A-Za-z0-9-]{10,}+
xoxp-  [A-Za-z0-9-]{10,}+
xoxo-  [A-Za-z0-9-]{10,}+
xoxr-  [A-Za-z0-9-]{10,}+
xoxs-  [A-Za-z0-9-]{10,}+
xoxc-  [A-Za-z0-9-]{10,}+
xoxd-  [A-Za-z0-9%/+=-]{10,}+
xoxe-  [A-Za-z0-9-]{10,}+
xoxe.xoxp-  [A-Za-z0-9-]{10,}+
xoxe.xoxb-  [A-Za-z0-9-]{10,}+
xapp-  \d-[A-Za-z0-9-]{20,}+
sk_live_  [A-Za-z0-9]{16,}+
sk_test_  [A-Za-z0-9]{16,}+
rk_live_  [A-Za-z0-9]{16,}+
rk_test_  [A-Za-z0-9]{16,}+
sk_prod_  [A-Za-z0-9]{16,}+
rk_prod_  [A-Za-z0-9]{16,}+
sk_org_  (?:live_|test_)?[A-Za-z0-9]{16,}+
whsec_  [A-Za-z0-9+/=]{24,}+
sq0atp-  [A-Za-z0-9_-]{22,}+
sq0csp-  [A-Za-z0-9_-]{22,}+
EAAA  [A-Za-z0-9_-]{60}
EAA  [A-Za-z0-9]{90,}+
sk-ant-  [A-Za-z0-9_-]{20,}+
sk-proj-  [A-Za-z0-9_-]{20,}+
sk-svcacct-  [A-Za-z0-9_-]{20,}+
sk-admin-  [A-Za-z0-9_-]{20,}+
sk-or-v1-  [a-f0-9]{32,}+
sk-  [A-Za-z0-9]{32,}+
gsk_  [A-Za-z0-9]{40,}+
pplx-  [A-Za-z0-9]{40,}+
xai-  [A-Za-z0-9]{60,}+
r8_  [A-Za-z0-9]{37,}+
hf_  [A-Za-z]{30,}+
api_org_  [A-Za-z]{34}
AIza  [A-Za-z0-9_-]{35}
ya29.  [A-Za-z0-9_.-]{20,}+
GOCSPX-  [A-Za-z0-9_-]{28}
npm_  [A-Za-z0-9]{36}
pypi-AgE  [A-Za-z0-9_-]{50,}+
rubygems_  [a-f0-9]{48}
CLOJARS_  [a-zA-Z0-9]{60}
dckr_pat_  [A-Za-z0-9_-]{20,}+
dckr_oat_  [A-Za-z0-9_-]{20,}+
SG.  [A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{16,64}
xkeysib-  [a-f0-9]{64}-[A-Za-z0-9]{16}
xsmtpsib-  [a-f0-9]{64}-[A-Za-z0-9]{16}
key-  [a-f0-9]{32}
SK  [a-f0-9]{32}
dop_v1_  [a-f0-9]{64}
doo_v1_  [a-f0-9]{64}
dor_v1_  [a-f0-9]{64}
shpat_  [a-fA-F0-9]{32}
shpca_  [a-fA-F0-9]{32}
shppa_  [a-fA-F0-9]{32}
shpss_  [a-fA-F0-9]{32}
lin_api_  [A-Za-z0-9]{40}
ntn_  [A-Za-z0-9]{40,}+
secret_  [A-Za-z0-9]{43}
figd_  [A-Za-z0-9_-]{38,}+
PMAK-  [a-fA-F0-9]{24}-[a-fA-F0-9]{34}
HRKU-  [A-Za-z0-9_-]{30,}+
dapi  [a-f0-9]{32}(?:-\d)?
dt0c01.  [A-Z0-9]{24}\.[A-Z0-9]{64}
NRAK-  [A-Z0-9]{27}
NRII-  [A-Za-z0-9-]{32}
NRJS-  [a-f0-9]{19}
glsa_  [A-Za-z0-9]{32}_[a-fA-F0-9]{8}
glc_  [A-Za-z0-9+/=]{32,}+
sntrys_  [A-Za-z0-9+/=_]{40,}+
sntryu_  [a-f0-9]{64}
hvs.  [A-Za-z0-9_-]{24,}+
hvb.  [A-Za-z0-9_-]{24,}+
pul-  [a-f0-9]{40}
dp.pt.  [A-Za-z0-9]{40,}+
dp.st.  [A-Za-z0-9._-]{40,}+
pscale_tkn_  [A-Za-z0-9_=.-]{32,}+
pscale_pw_  [A-Za-z0-9_=.-]{32,}+
pscale_oauth_  [A-Za-z0-9_=.-]{32,}+
pnu_  [A-Za-z0-9]{36}
tskey-  [A-Za-z0-9-]{20,}+
sbp_  [a-f0-9]{40}
sb_secret_  [A-Za-z0-9_-]{22}_[A-Za-z0-9_-]{8}
nfp_  [A-Za-z0-9]{36,}+
sgp_  [A-Za-z0-9_]{40,}+
squ_  [a-f0-9]{40}
sqp_  [a-f0-9]{40}
sqa_  [a-f0-9]{40}
tfp_  [A-Za-z0-9_.=-]{59}
CFPAT-  [A-Za-z0-9_-]{43}
duffel_live_  [A-Za-z0-9_=-]{43}
duffel_test_  [A-Za-z0-9_=-]{43}
EZAK  [A-Za-z0-9]{54}
EZTK  [A-Za-z0-9]{54}
shippo_live_  [a-fA-F0-9]{40}
shippo_test_  [a-fA-F0-9]{40}
FLWSECK  [_-](?:TEST-)?[A-Za-z0-9-]{12,}+
ops_eyJ  [A-Za-z0-9+/=_-]{100,}+
AGE-SECRET-KEY-1  [A-Z0-9]{58}
xprv  [1-9A-HJ-NP-Za-km-z]{107}
fo1_  [A-Za-z0-9_-]{43}
fm1a_  [A-Za-z0-9+/=_-]{100,}+
fm1r_  [A-Za-z0-9+/=_-]{100,}+
fm2_  [A-Za-z0-9+/=_-]{100,}+
bkua_  [a-f0-9]{40}
rnd_  [A-Za-z0-9]{28}
pat  [A-Za-z0-9]{14}\.[a-f0-9]{64}
access_token$  (?:production|sandbox)\$[a-z0-9]{16}\$[a-f0-9]{32}
PRIVATE-AMAZON-  [A-Z0-9]{20}
sl.  [A-Za-z0-9_-]{120,}+
eyJ  [A-Za-z0-9_-]{10,}+\.eyJ[A-Za-z0-9_-]{10,}+\.[A-Za-z0-9_-]{16,}+
"""
# No fixed beginning; a mark that is in them is looked for instead.
_MARKED = {
    "T3BlbkFJ": r"sk-[A-Za-z0-9_-]{20,200}T3BlbkFJ[A-Za-z0-9_-]{20,}+",  # OpenAI, whatever follows `sk-`
    ":AA": r"\d{8,10}:AA[A-Za-z0-9_-]{33}",  # Telegram
    "-us": r"[a-f0-9]{32}-us\d{1,2}",  # Mailchimp
    ".atlasv1.": r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,}+",  # Terraform
    # Discord; the first part is an account's number in base64.
    ".": r"[MNO][A-Za-z0-9_-]{22,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,38}",
    "Q~": r"[A-Za-z0-9_~.]{3}\dQ~[A-Za-z0-9_~.-]{31,34}",  # Azure
}
# Behind a letter only where that belongs to something else: a line end written out, Telegram's addresses.
_BEFORE = r"(?:(?<![A-Za-z0-9_+-])|(?<=\\[nrt])|(?<=/bot))"
_AFTER = r"(?![A-Za-z0-9_])"


def _pattern(form: str) -> re.Pattern[str]:
    return re.compile(f"{_BEFORE}{form}{_AFTER}")


TOKENS: tuple[tuple[str, re.Pattern[str]], ...] = (
    *(
        (beginning, _pattern(re.escape(beginning) + rest))
        for beginning, rest in (line.split() for line in _FORMS.split("\n") if line)
    ),
    *((mark, _pattern(form)) for mark, form in _MARKED.items()),
)

"""What a token may do: policies as documents, the decision over them, and where they are kept.

This room owns the policy language (``document``), identity templates in it (``templating``), the decision (``acl``, pure), the
names (``names``) and the stored policies with the cache of compiled ones (``store``). It refuses to know tokens, mounts and HTTP:
callers bring the names of the policies, the identity and the time.
"""

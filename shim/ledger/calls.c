/*
 * The definition of the table of calls that calls.h declares. Data only; read by every room above.
 */
#include "ledger/calls.h"

#define M NSD_KIND_BIT(NSD_KIND_MNT)
#define N NSD_KIND_BIT(NSD_KIND_NET)
#define I NSD_KIND_BIT(NSD_KIND_IPC)
#define U NSD_KIND_BIT(NSD_KIND_UTS)
#define A NSD_ALL_KINDS

const struct nsd_call_row nsd_call_table[NSD_CALLS] = {
#define X(name, text, shape, effect, kinds)                                                        \
    [NSD_CALL_##name] = {text, NSD_SHAPE_##shape, NSD_EFFECT_##effect, kinds},
    NSD_CALL_TABLE(X)
#undef X
};

"""What implements each native row of the table."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from smartvm.vm.dnn.instructions import activations, convolution, elementwise, pooling, transfers
from smartvm.vm.extension import Kernel

#: By the instruction's name.
KERNELS: Mapping[str, Kernel] = MappingProxyType(
    {
        "CONV_SING": convolution.conv_sing,
        "CONV_MUL": convolution.conv_mul,
        "CONV_3D": convolution.conv_3d,
        "CONV_TPD": convolution.conv_tpd,
        "POOL_MAX": pooling.pool_max,
        "POOL_AVG": pooling.pool_avg,
        "POOL_OL": pooling.pool_ol,
        "FULL_CON": convolution.full_con,
        "MAT_MUL": transfers.mat_mul,
        "ACT_SM0": activations.act_sm0,
        "ACT_SM1": activations.act_sm1,
        "ACT_RL": elementwise.act_rl,
        "ACT_TANH": activations.act_tanh,
        "BUF_SCL0": elementwise.buf_scl0,
        "BUF_SCL1": elementwise.buf_scl1,
        "BUF_BIAS": elementwise.buf_bias,
        "MTOB": transfers.mtob,
        "BTOM": transfers.btom,
        "BTOS0": transfers.btos0,
        "BTOS1": transfers.btos1,
        "BUF_CLS": transfers.buf_cls,
        "BUF_FIL": transfers.buf_fil,
        "BUF_INIT": transfers.buf_init,
        "BUF_ALLO": transfers.buf_allo,
        "BUF_FREE": transfers.buf_free,
        "BUF_COPY": transfers.buf_copy,
        "BUF_SWAP": transfers.buf_swap,
        "BUF_ADD": elementwise.buf_add,
        "BUF_MUL": elementwise.buf_mul,
        "BUF_CAT": transfers.buf_cat,
        "BUF_SIZE": transfers.buf_size,
        "MTOB_PACK": transfers.mtob_pack,
        "BTOM_PACK": transfers.btom_pack,
    }
)

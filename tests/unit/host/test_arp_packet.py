# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import struct

import pytest
from ansible_collections.openlvs.lvs.plugins.module_utils import _arp_packet
from ansible_collections.openlvs.lvs.plugins.module_utils._arp_packet import Answer
from hypothesis import given
from hypothesis import strategies as st

MAC = bytes.fromhex("020000000001")
ARP_HEADER = "0001 0800 06 04"


def frame(text: str) -> bytes:
    return bytes.fromhex(text.replace(" ", "").replace("\n", ""))


def test_an_arp_request_is_as_rfc_826_has_it() -> None:
    assert _arp_packet.who_has("192.0.2.10", "192.0.2.1", MAC) == frame(
        f"ffffffffffff 020000000001 0806 {ARP_HEADER} 0001 020000000001 c0000201 000000000000 c000020a"
    )


def test_gratuitous_arp_tells_and_asks_for_the_same_address() -> None:
    assert _arp_packet.gratuitous_arp("192.0.2.10", MAC) == frame(
        f"ffffffffffff 020000000001 0806 {ARP_HEADER} 0001 020000000001 c000020a 000000000000 c000020a"
    )


def checksum_holds(sent: bytes) -> bool:
    message = sent[54:]
    summed = sent[22:54] + struct.pack("!II", len(message), 58) + message
    total = sum(struct.unpack(f"!{len(summed) // 2}H", summed))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return bool(total == 0xFFFF)


def test_a_solicitation_is_as_rfc_4861_has_it() -> None:
    sent = _arp_packet.solicitation("2001:db8::a12:3456", "fe80::1", MAC)
    assert sent[:14] == frame("3333ff123456 020000000001 86dd")
    assert sent[14:22] == frame("60000000 0020 3a ff")
    assert sent[38:54] == frame("ff02 0000 0000 0000 0000 0001 ff12 3456")
    assert sent[54:56] == frame("87 00") and sent[-8:] == frame("01 01 020000000001")
    assert checksum_holds(sent)


def test_a_solicitation_without_source_names_no_mac() -> None:
    sent = _arp_packet.solicitation("2001:db8::10", "::", MAC)
    assert len(sent) == 14 + 40 + 24 and checksum_holds(sent)


@pytest.mark.parametrize(("router", "flags"), [(False, "20"), (True, "a0")])
def test_an_advertisement_overrides_what_was_known(router: bool, flags: str) -> None:
    sent = _arp_packet.advertisement("2001:db8::10", MAC, router)
    assert sent[:6] == frame("333300000001") and sent[54:55] == frame("88") and sent[58:59] == frame(flags)
    assert checksum_holds(sent)
    assert _arp_packet.read_answer(sent) == Answer("2001:db8::10", "02:00:00:00:00:01")


def test_an_advertisement_without_option_is_of_the_one_who_sent_it() -> None:
    sent = _arp_packet.advertisement("2001:db8::10", MAC, False)[:-8]
    assert _arp_packet.read_answer(sent) == Answer("2001:db8::10", "02:00:00:00:00:01")


def test_an_arp_reply_is_read() -> None:
    reply = frame(f"020000000002 020000000001 0806 {ARP_HEADER} 0002 020000000001 c000020a 020000000002 c0000202")
    assert _arp_packet.read_answer(reply + bytes(18)) == Answer("192.0.2.10", "02:00:00:00:00:01")


def test_questions_are_no_answers() -> None:
    assert _arp_packet.read_answer(_arp_packet.who_has("192.0.2.10", "192.0.2.1", MAC)) is None
    assert _arp_packet.read_answer(_arp_packet.gratuitous_arp("192.0.2.10", MAC)) is None
    assert _arp_packet.read_answer(_arp_packet.solicitation("2001:db8::10", "::", MAC)) is None


def test_an_advertisement_that_passed_a_router_is_forged() -> None:
    sent = bytearray(_arp_packet.advertisement("2001:db8::10", MAC, False))
    sent[21] = 64
    assert _arp_packet.read_answer(bytes(sent)) is None


@given(
    st.sampled_from(["", "0806", "86dd", "86dd 60000000 0020 3a ff", f"0806 {ARP_HEADER}"]).map(frame),
    st.binary(max_size=90),
)
def test_nothing_on_the_wire_confuses_the_reader(start: bytes, rest: bytes) -> None:
    _arp_packet.read_answer(bytes(12) + start + rest)

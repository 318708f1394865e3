"""What can be wrong with a diagram: a stable code, a severity, the place, and words in both languages with a remedy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

Severity = Literal["error", "warning"]


class _Entry(NamedTuple):
    severity: Severity
    en: str
    zh: str
    remedy_en: str
    remedy_zh: str


CATALOGUE: Mapping[str, _Entry] = {
    "XML_TOO_LARGE": _Entry(
        "error",
        "The file has {size} bytes; {limit} are allowed",
        "文件有 {size} 字节, 上限 {limit}",
        "Split the diagram",
        "请拆分流程图",
    ),
    "XML_SYNTAX": _Entry(
        "error",
        "The file is not well-formed XML: {detail}",
        "文件不是合法的 XML: {detail}",
        "Export it again from the modeller",
        "请从建模工具重新导出",
    ),
    "XML_DOCTYPE": _Entry(
        "error",
        "The file has a DOCTYPE",
        "文件含有 DOCTYPE",
        "Remove the DOCTYPE; a diagram needs none",
        "请删除 DOCTYPE, 流程图不需要它",
    ),
    "XML_TOO_DEEP": _Entry(
        "error",
        "Elements are nested {depth} deep; {limit} are allowed",
        "元素嵌套 {depth} 层, 上限 {limit}",
        "Flatten the sub-processes",
        "请减少子流程嵌套",
    ),
    "XML_TOO_MANY": _Entry(
        "error",
        "The file has {count} elements; {limit} are allowed",
        "文件有 {count} 个元素, 上限 {limit}",
        "Split the diagram",
        "请拆分流程图",
    ),
    "NOT_BPMN": _Entry(
        "error",
        "This is not a BPMN 2.0 file: the root element is {root}",
        "这不是 BPMN 2.0 文件: 根元素是 {root}",
        "Upload a .bpmn file",
        "请上传 .bpmn 文件",
    ),
    "NO_PROCESS": _Entry(
        "error",
        "There is no executable process in the file",
        "文件中没有可执行的流程",
        'Set isExecutable="true" on the process',
        '请在流程上设置 isExecutable="true"',
    ),
    "ID_MISSING": _Entry("error", "A {kind} has no id", "{kind} 没有 id", "Give it an id", "请补充 id"),
    "ID_DUPLICATE": _Entry(
        "error",
        "The id {id} is used more than once",
        "id {id} 重复使用",
        "Rename one of them",
        "请改其中一个",
    ),
    "ID_SHAPE": _Entry(
        "error",
        "The id {id} is not usable",
        "id {id} 不可用",
        "Use letters, digits, _ - . and at most 64 characters",
        "只用字母、数字、_ - . 且不超过 64 个字符",
    ),
    "ELEMENT": _Entry(
        "error",
        "{kind} is not executed by this version",
        "本版本不执行 {kind}",
        "Replace it; the executed elements are listed in docs/reference/bpmn.md",
        "请替换; 可执行元素见 docs/reference/bpmn.md",
    ),
    "EVENT_KIND": _Entry(
        "error",
        "A {event} cannot be used at a {kind}",
        "{kind} 不能使用 {event}",
        "Use one of: {allowed}",
        "请使用: {allowed}",
    ),
    "EVENT_SEVERAL": _Entry(
        "error",
        "The event has more than one definition",
        "事件有多个定义",
        "Use one event per definition",
        "请每个定义使用一个事件",
    ),
    "FEATURE": _Entry(
        "error",
        "{feature} is not executed by this version",
        "本版本不执行 {feature}",
        "Remove it or draw it with the elements of docs/reference/bpmn.md",
        "请删除或用 docs/reference/bpmn.md 中的元素表示",
    ),
    "REFERENCE": _Entry(
        "error",
        "{attribute} names {target}, which does not exist",
        "{attribute} 引用的 {target} 不存在",
        "Correct the reference",
        "请修正引用",
    ),
    "FLOW_END": _Entry(
        "error",
        "The flow {id} leads from {source} to {target}; it must join two elements of this scope",
        "连线 {id} 从 {source} 到 {target}, 必须连接同一范围内的两个元素",
        "Connect it again",
        "请重新连接",
    ),
    "FLOW_CONDITION": _Entry(
        "error",
        "The flow {id} of an exclusive gateway has no condition and is not the default",
        "排他网关的连线 {id} 没有条件也不是默认连线",
        "Add a condition or make it the default flow",
        "请补充条件或设为默认连线",
    ),
    "FLOW_CONDITION_EVENT": _Entry(
        "error",
        "The flow {id} leaves a {kind} and cannot have a condition",
        "连线 {id} 的起点是 {kind}, 不能有条件",
        "Put an exclusive gateway behind it",
        "请在其后放置排他网关",
    ),
    "FLOW_CONDITION_IGNORED": _Entry(
        "warning",
        "The condition of the flow {id} does not count: a {kind} takes all of its flows",
        "连线 {id} 的条件不起作用: {kind} 走全部出线",
        "Use an inclusive gateway, or remove the condition",
        "请改用包容网关或删除条件",
    ),
    "DEFAULT_FLOW": _Entry(
        "error",
        "The default flow {id} does not leave this element",
        "默认连线 {id} 不从此元素出发",
        "Choose one of its outgoing flows",
        "请选择它的出线",
    ),
    "DEFAULT_MISSING": _Entry(
        "warning",
        "There is no default flow: when no condition is true an incident opens",
        "没有默认连线: 条件都不成立时会产生异常单",
        "Make one flow the default",
        "请指定默认连线",
    ),
    "QUANTITY": _Entry(
        "error",
        "{attribute} {text} is no whole number from 1 to {most}",
        "{attribute} {text} 不是 1 到 {most} 的整数",
        "Correct it, or leave it out",
        "请修正或删除",
    ),
    "NO_START": _Entry(
        "error", "Nothing starts this scope", "此范围没有开始事件", "Add a start event", "请添加开始事件"
    ),
    "SEVERAL_STARTS": _Entry(
        "error",
        "There is more than one start event",
        "有多个开始事件",
        "Keep one start event",
        "请只保留一个开始事件",
    ),
    "UNREACHABLE": _Entry(
        "error",
        "No flow leads to {id}",
        "没有连线到达 {id}",
        "Connect it or remove it",
        "请连接或删除",
    ),
    "DEAD_END": _Entry(
        "warning",
        "{id} has no outgoing flow and is no end event",
        "{id} 没有出线也不是结束事件",
        "Lead it to an end event",
        "请连到结束事件",
    ),
    "BOUNDARY_HOST": _Entry(
        "error",
        "The boundary event is attached to {target}, which is no activity here",
        "边界事件附着于 {target}, 它不是此处的活动",
        "Attach it to a task or sub-process",
        "请附着到任务或子流程",
    ),
    "ERROR_NOT_INTERRUPTING": _Entry(
        "error",
        "What an error starts always interrupts",
        "错误触发的事件必须是中断的",
        "Make it interrupting",
        "请改为中断",
    ),
    "EVENT_SUBPROCESS_FLOW": _Entry(
        "error",
        "A flow leads to or from an event sub-process",
        "连线连到了事件子流程",
        "Remove the flow: its trigger starts it",
        "请删除连线: 它由触发事件启动",
    ),
    "EVENT_GATEWAY_TARGET": _Entry(
        "error",
        "{target} cannot follow an event-based gateway",
        "{target} 不能接在事件网关之后",
        "Lead it to intermediate catch events or receive tasks without boundary events, each with one incoming flow",
        "请连到中间捕获事件或不带边界事件的接收任务, 且各只有一条入线",
    ),
    "CALLED_PROCESS": _Entry(
        "error",
        "The call activity names {target}, which is no executable process of this file",
        "调用活动引用的 {target} 不是本文件中的可执行流程",
        "Put the called process into the same file, with isExecutable",
        "请把被调用的流程放入同一文件并设为可执行",
    ),
    "CALL_CYCLE": _Entry(
        "error",
        "The process calls itself: {path}",
        "流程循环调用: {path}",
        "Remove one of the calls",
        "请删除其中一个调用",
    ),
    "COMPENSATION_HANDLER": _Entry(
        "error",
        "A compensation boundary event and an activity for compensation need exactly one association to each other",
        "补偿边界事件必须恰好关联一个补偿活动, 反之亦然",
        "Associate the boundary event with one activity that has isForCompensation; one event for each activity",
        "请把边界事件关联到一个设置了 isForCompensation 的活动, 每个活动一个事件",
    ),
    "COMPENSATION_FLOW": _Entry(
        "error",
        "What compensates is reached by an association, not by sequence flows",
        "补偿通过关联到达, 不能用顺序流",
        "Remove the flow",
        "请删除顺序流",
    ),
    "COMPENSATION_TARGET": _Entry(
        "error",
        "{target} is no activity that can be compensated from here",
        "{target} 不是此处可补偿的活动",
        "Name an activity of this scope, or none to compensate all",
        "请指定本范围内的活动, 或不指定以补偿全部",
    ),
    "COMPENSATION_START": _Entry(
        "error",
        "Compensation starts an event sub-process of a sub-process, never one of the process itself",
        "补偿事件子流程只能位于子流程内, 不能直接位于流程中",
        "Move it into the sub-process that it compensates",
        "请移入它所补偿的子流程",
    ),
    "CANCEL_OUTSIDE": _Entry(
        "error",
        "A cancel event belongs into or onto a transaction",
        "取消事件只能用于事务内部或事务边界",
        "Use a transaction, or an error event",
        "请使用事务或错误事件",
    ),
    "CANCEL_UNCAUGHT": _Entry(
        "error",
        "Nothing says how it goes on when the transaction {transaction} is cancelled",
        "未说明事务 {transaction} 取消后如何继续",
        "Attach a cancel boundary event to the transaction",
        "请在事务上附着取消边界事件",
    ),
    "LINK_TARGET": _Entry(
        "error",
        "{count} catch events match this link; it needs exactly one in the same scope",
        "有 {count} 个链接捕获事件匹配; 同一范围内必须恰好一个",
        "Give both ends the same name",
        "请让两端同名",
    ),
    "LINK_SOURCE": _Entry(
        "error",
        "No link leads here",
        "没有链接到达此处",
        "Throw a link with this name, or remove the event",
        "请添加同名的链接抛出事件或删除此事件",
    ),
    "EXPRESSION": _Entry(
        "error",
        "{where}: {detail}",
        "{where}: {detail}",
        "Correct the expression; the language is described in docs/reference/expressions.md",
        "请修正表达式; 语言说明见 docs/reference/expressions.md",
    ),
    "CODE": _Entry(
        "error",
        "{where}: {detail}",
        "{where}: {detail}",
        "A diagram may not run code; see docs/reference/expressions.md for what it may say",
        "流程图不得执行代码; 可用写法见 docs/reference/expressions.md",
    ),
    "TEXTS_TOO_LONG": _Entry(
        "error",
        "Scripts and expressions have {length} characters; {limit} are allowed",
        "脚本和表达式共 {length} 个字符, 上限 {limit}",
        "Split the diagram, or move the work into operations",
        "请拆分流程图, 或改用操作实现",
    ),
    "TIMER": _Entry(
        "error",
        "The timer text {text} is not usable: {detail}",
        "定时文本 {text} 不可用: {detail}",
        "Use an ISO 8601 duration such as PT4H, a date-time with zone, or an expression",
        "请使用 ISO 8601 时长 (如 PT4H)、带时区的时间或表达式",
    ),
    "LOOP_SEVERAL": _Entry(
        "error",
        "The activity has more than one kind of loop",
        "活动有多种循环",
        "Keep one of them",
        "请只保留一种",
    ),
    "LOOP_END": _Entry(
        "error",
        "Nothing ends the loop: it has neither a condition nor a maximum",
        "循环没有终点: 既没有条件也没有最大次数",
        "Add a loopCondition or loopMaximum",
        "请补充 loopCondition 或 loopMaximum",
    ),
    "LOOP_MAXIMUM": _Entry(
        "error",
        "The maximum {text} of the loop is no whole number from 1 to {most}",
        "循环最大次数 {text} 不是 1 到 {most} 的整数",
        "Correct loopMaximum",
        "请修正 loopMaximum",
    ),
    "LOOP_CARDINALITY": _Entry(
        "error",
        "How many instances there are must be said exactly once: by a cardinality or by a collection",
        "实例个数必须且只能用一种方式给出: 基数或集合",
        "Set loopCardinality or kaitong:collection",
        "请设置 loopCardinality 或 kaitong:collection",
    ),
    "LOOP_NUMBER": _Entry(
        "error",
        "The number of instances {text} is not between 0 and {most}",
        "实例个数 {text} 不在 0 到 {most} 之间",
        "Correct loopCardinality",
        "请修正 loopCardinality",
    ),
    "LOOP_NAMES": _Entry(
        "error",
        "kaitong:{one} says nothing without kaitong:{other}",
        "没有 kaitong:{other} 时 kaitong:{one} 没有意义",
        "Add kaitong:{other}, or remove kaitong:{one}",
        "请补充 kaitong:{other} 或删除 kaitong:{one}",
    ),
    "OPERATION_MISSING": _Entry(
        "error",
        "The service task names no operation",
        "服务任务没有指定操作",
        "Choose an operation (kaitong:operation)",
        "请选择操作 (kaitong:operation)",
    ),
    "OPERATION_UNKNOWN": _Entry(
        "error",
        "The operation {operation} does not exist",
        "操作 {operation} 不存在",
        "Choose one of: {known}",
        "请选择: {known}",
    ),
    "ERROR_UNKNOWN": _Entry(
        "warning",
        "No step that this event watches declares the error {code}",
        "此事件监视的步骤都没有声明错误 {code}",
        "Check the code; declared are: {known}",
        "请检查代码; 已声明: {known}",
    ),
    "ROLE_MISSING": _Entry(
        "error",
        "The user task names no role",
        "用户任务没有指定角色",
        "Set kaitong:role",
        "请设置 kaitong:role",
    ),
    "ROLE_UNKNOWN": _Entry(
        "error",
        "The role {role} does not exist",
        "角色 {role} 不存在",
        "Choose one of: {known}",
        "请选择: {known}",
    ),
    "FORM_UNKNOWN": _Entry(
        "error",
        "The form {form} is not part of the upload",
        "上传中没有表单 {form}",
        "Upload {form}.form together with the diagram",
        "请与流程图一起上传 {form}.form",
    ),
    "FORM_MISSING": _Entry(
        "warning",
        "The user task has no form: it can only be completed without data",
        "用户任务没有表单: 只能不带数据完成",
        "Set kaitong:formKey",
        "请设置 kaitong:formKey",
    ),
    "FORM": _Entry(
        "error",
        "The form {form} is not usable: {detail}",
        "表单 {form} 不可用: {detail}",
        "Correct the form",
        "请修正表单",
    ),
    "ATTRIBUTE": _Entry(
        "error",
        "The attribute kaitong:{name} is not known at a {kind}",
        "{kind} 没有属性 kaitong:{name}",
        "Use one of: {known}",
        "请使用: {known}",
    ),
    "NOT_DRAWN": _Entry(
        "warning",
        "{id} is not drawn: the order page cannot show it",
        "{id} 没有图形: 订单页面无法显示",
        "Add its shape to the diagram",
        "请在图中补充图形",
    ),
}

ALIASES = {"zh_CN": "zh", "zh-CN": "zh", "zh": "zh", "en": "en"}


@dataclass(frozen=True)
class Problem:
    """One finding. `line` counts from 1 in the uploaded file; 0 where it has no place."""

    code: str
    line: int
    element: str | None
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def severity(self) -> Severity:
        """error: the diagram is refused; warning: it is accepted and the designer should know."""
        return CATALOGUE[self.code].severity

    def message(self, locale: str = "en") -> str:
        """What is wrong."""
        return self._say("zh" if ALIASES.get(locale) == "zh" else "en", locale)

    def remedy(self, locale: str = "en") -> str:
        """What to do about it."""
        return self._say("remedy_zh" if ALIASES.get(locale) == "zh" else "remedy_en", locale)

    def _say(self, part: str, locale: str) -> str:
        facts = {k: v(locale) if callable(v) else v for k, v in self.facts.items()}
        template: str = getattr(CATALOGUE[self.code], part)
        return template.format(**facts)

    def as_dict(self, locale: str = "en") -> dict[str, Any]:
        """The shape that `kaitong lint --format json` and the API print."""
        return {
            "code": self.code,
            "severity": self.severity,
            "line": self.line,
            "element": self.element,
            "message": self.message(locale),
            "remedy": self.remedy(locale),
        }


class DiagramRefused(Exception):
    """A diagram that cannot be executed as drawn. Holds every problem found, warnings included."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        first = next((p for p in self.problems if p.severity == "error"), self.problems[0])
        super().__init__(f"{first.code} line {first.line}: {first.message('en')}")
